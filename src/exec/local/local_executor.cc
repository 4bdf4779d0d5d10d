#include "exec/local/local_executor.h"

#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "exec/local/output_log.h"
#include "exec/task_spec.h"
#include "runtime/child_process.h"
#include "store/image/reference.h"
#include "store/image/rooted_dir.h"

#include <absl/time/clock.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace brume::exec {
namespace {

constexpr size_t kReadAtOnce = 1024 * 1024;
// One to start it, one to look after what the first left.
constexpr int kMaxSpawns = 3;
constexpr absl::Duration kRemoveWait = absl::Seconds(10);

absl::Status SyncFolder(const std::string& path) {
  const base::UniqueFd fd(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("sync '", path, "'"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FolderNames(const std::string& path) {
  DIR* dir = opendir(path.c_str());
  if (dir == nullptr) {
    return base::ErrnoToStatus(errno, base::StrCat("read '", path, "'"));
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(dir);
  return names;
}

}  // namespace

LocalExecutor::LocalExecutor(Options options, store::image::ImageStore& images,
                             store::image::LayerStore& layers,
                             const base::Clock& clock)
    : options_(std::move(options)),
      images_(images),
      layers_(layers),
      clock_(clock) {}

absl::StatusOr<std::unique_ptr<LocalExecutor>> LocalExecutor::Create(
    Options options, store::image::ImageStore& images,
    store::image::LayerStore& layers, const base::Clock& clock) {
  // runc resolves what the kernel tells it, which is never relative.
  char* real = nullptr;
  if (mkdir(options.folder.c_str(), 0700) == 0 || errno == EEXIST) {
    real = realpath(options.folder.c_str(), nullptr);
  }
  if (real == nullptr) {
    return base::ErrnoToStatus(
        errno, base::StrCat("make folder '", options.folder, "'"));
  }
  options.folder = real;
  std::free(real);
  const size_t preparers = options.preparers;
  auto executor = std::unique_ptr<LocalExecutor>(
      new LocalExecutor(std::move(options), images, layers, clock));
  executor->wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!executor->wake_.valid()) {
    return base::ErrnoToStatus(errno, "open eventfd");
  }
  executor->preparers_ = std::make_unique<runtime::WorkerPool>(preparers);
  RETURN_IF_ERROR(executor->Find());
  LocalExecutor* self = executor.get();
  executor->watcher_ = std::thread([self] { self->Watch(); });
  return executor;
}

LocalExecutor::~LocalExecutor() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (watcher_.joinable()) {
    Wake();
    watcher_.join();
  }
  preparers_.reset();
}

absl::Status LocalExecutor::Find() {
  ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                   FolderNames(options_.folder));
  for (const std::string& id : ids) {
    if (!IsTaskId(id)) continue;
    ASSIGN_OR_RETURN(const TaskFiles files, OpenTask(id));
    if (!files.Exists("spec.json")) {
      // Never acknowledged.
      const base::UniqueFd top(
          open(options_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      RETURN_IF_ERROR(store::image::RemoveTree(top.get(), id));
      continue;
    }
    if (const absl::Status status = Revive(id); !status.ok()) {
      base::Log(base::LogLevel::kError, "exec", "cannot look after a task",
                {{"task", id}, {"cause", base::ToStd(status.message())}});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<std::string>> LocalExecutor::LayersInUse(
    const std::string& folder) {
  std::set<std::string> names;
  const auto ids = FolderNames(folder);
  if (absl::IsNotFound(ids.status())) return names;
  RETURN_IF_ERROR(ids.status());
  for (const std::string& id : *ids) {
    ASSIGN_OR_RETURN(const TaskFiles files,
                     TaskFiles::Open(base::StrCat(folder, "/", id)));
    if (files.Exists("status.json")) continue;
    ASSIGN_OR_RETURN(const auto plan, files.ReadPlan());
    if (plan.has_value()) {
      names.insert(plan->layers.begin(), plan->layers.end());
    }
  }
  return names;
}

absl::StatusOr<TaskFiles> LocalExecutor::OpenTask(std::string_view id) const {
  if (IsTaskId(id)) {
    auto files = TaskFiles::Open(base::StrCat(options_.folder, "/", id));
    if (!absl::IsNotFound(files.status())) return files;
  }
  return absl::NotFoundError(
      base::StrCat("find task '", id, "': there is none"));
}

absl::Status LocalExecutor::Start(const TaskSpec& spec) {
  RETURN_IF_ERROR(CheckTaskSpec(spec));
  RETURN_IF_ERROR(store::image::ParseReference(spec.image).status());
  const std::string folder = base::StrCat(options_.folder, "/", spec.id);
  if (mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) {
      return absl::AlreadyExistsError(
          base::StrCat("start task '", spec.id, "': it exists already"));
    }
    return base::ErrnoToStatus(errno, base::StrCat("make '", folder, "'"));
  }
  ASSIGN_OR_RETURN(const TaskFiles files, TaskFiles::Open(folder));
  absl::Status status = files.Write(TaskRecord{spec, clock_.Now()});
  if (status.ok()) status = SyncFolder(options_.folder);
  if (!status.ok()) {
    unlinkat(files.dir(), "spec.json.new", 0);
    unlinkat(files.dir(), "spec.json", 0);
    rmdir(folder.c_str());
    return status;
  }
  SubmitPrepare(spec.id);
  return absl::OkStatus();
}

void LocalExecutor::SubmitPrepare(const std::string& id) {
  preparers_->Submit([this, id] {
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;  // the next server does it
    }
    const absl::Status status = Prepare(id);
    if (!status.ok()) {
      const auto files = OpenTask(id);
      if (!files.ok()) return;
      EndHere(*files,
              absl::IsCancelled(status) ? TaskResult::Cause::kCancelled
                                        : TaskResult::Cause::kStartFailed,
              base::ToStd(status.message()));
    }
    Changed();
  });
}

absl::Status LocalExecutor::Prepare(const std::string& id) {
  ASSIGN_OR_RETURN(const TaskFiles files, OpenTask(id));
  ASSIGN_OR_RETURN(const auto record, files.ReadRecord());
  if (!record.has_value()) return absl::DataLossError("spec.json is missing");
  if (files.Exists("stop.json")) {
    return absl::CancelledError("cancelled before it was started");
  }
  ASSIGN_OR_RETURN(const store::image::ResolvedImage image,
                   images_.Resolve(record->spec.image));
  LaunchPlan plan;
  ASSIGN_OR_RETURN(plan.layers, layers_.Ensure(image));
  plan.image = image.config;
  plan.layers_folder = layers_.folder();
  plan.ca_file = options_.ca_file;
  plan.proxy_port = options_.proxy_port;
  RETURN_IF_ERROR(files.Write(plan));
  return SpawnSupervisor(files, id);
}

absl::Status LocalExecutor::SpawnSupervisor(const TaskFiles& files,
                                            const std::string& id) {
  {
    absl::MutexLock lock(&mutex_);
    if (++spawned_[id] > kMaxSpawns) {
      return absl::InternalError(base::StrCat(
          "supervise task '", id, "': the supervisor ends at once; see '",
          files.folder(), "/supervisor.log'"));
    }
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return base::ErrnoToStatus(errno, "open socket pair");
  }
  base::UniqueFd ours(pair[0]);
  const base::UniqueFd theirs(pair[1]);
  const base::UniqueFd log(openat(files.dir(), "supervisor.log",
                                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                                  0600));
  constexpr int kServerFd = 3;
  runtime::ChildOptions child;
  child.argv = options_.supervisor;
  child.argv.push_back(files.folder());
  child.argv.push_back(base::StrCat(kServerFd));
  child.fds = {{theirs.get(), kServerFd}};
  if (log.valid()) child.fds.emplace_back(log.get(), 2);
  const char* path = std::getenv("PATH");
  child.env.emplace()["PATH"] =
      path != nullptr ? path : "/usr/sbin:/usr/bin:/bin";
  child.detached = true;
  RETURN_IF_ERROR(runtime::SpawnChild(child).status());
  AddLink(id, std::move(ours));
  return absl::OkStatus();
}

absl::Status LocalExecutor::Revive(const std::string& id) {
  ASSIGN_OR_RETURN(const TaskFiles files, OpenTask(id));
  // The lock first: who holds it may be about to write the end.
  ASSIGN_OR_RETURN(const bool locked, files.IsLocked());
  if (files.Exists("status.json")) return absl::OkStatus();
  if (locked) return Connect(files, id);
  if (!files.launched()) {
    SubmitPrepare(id);
    return absl::OkStatus();
  }
  const absl::Status spawned = SpawnSupervisor(files, id);
  if (!spawned.ok()) {
    EndHere(files, TaskResult::Cause::kLost, base::ToStd(spawned.message()));
  }
  return absl::OkStatus();
}

void LocalExecutor::EndHere(const TaskFiles& files, TaskResult::Cause cause,
                            std::string_view message) {
  TaskResult result;
  result.cause = cause;
  result.exit_code = cause == TaskResult::Cause::kCancelled ? 0 : 128;
  result.message = std::string(message);
  const absl::Status written = files.Write(TaskEnd{result, clock_.Now()});
  if (!written.ok()) {
    base::Log(base::LogLevel::kError, "exec", "cannot write a task's end",
              {{"folder", files.folder()},
               {"cause", base::ToStd(written.message())}});
  }
  Changed();
}

absl::StatusOr<TaskStatus> LocalExecutor::Inspect(std::string_view id) {
  ASSIGN_OR_RETURN(const TaskFiles files, OpenTask(id));
  ASSIGN_OR_RETURN(const auto record, files.ReadRecord());
  if (!record.has_value()) {
    return absl::NotFoundError(
        base::StrCat("find task '", id, "': there is none"));
  }
  TaskStatus out;
  out.created = record->created;
  ASSIGN_OR_RETURN(const auto end, files.ReadEnd());
  ASSIGN_OR_RETURN(out.started, files.ReadStarted());
  if (end.has_value()) {
    out.state = TaskState::kEnded;
    out.ended = end->ended;
    out.result = end->result;
  } else if (files.Exists("stop.json")) {
    out.state = TaskState::kStopping;
  } else if (out.started.has_value()) {
    out.state = TaskState::kRunning;
  }
  return out;
}

absl::Status LocalExecutor::Stop(std::string_view id, absl::Duration grace) {
  ASSIGN_OR_RETURN(const TaskFiles files, OpenTask(id));
  if (files.Exists("status.json") || files.Exists("stop.json")) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(files.Write(StopRequest{clock_.Now(), grace}));
  {
    absl::MutexLock lock(&mutex_);
    const auto link = links_.find(std::string(id));
    // One that is not connected yet looks by itself before it starts.
    if (link != links_.end()) {
      (void)send(link->second->socket.get(), "S", 1,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  }
  Changed();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<OutputLine>> LocalExecutor::ReadOutput(
    std::string_view id, uint64_t* position) {
  ASSIGN_OR_RETURN(const TaskFiles files, OpenTask(id));
  const base::UniqueFd log(openat(files.dir(), "log", O_RDONLY | O_CLOEXEC));
  if (!log.valid()) {
    if (errno == ENOENT) return std::vector<OutputLine>();
    return base::ErrnoToStatus(errno,
                               base::StrCat("open log of task '", id, "'"));
  }
  return ReadLog(log.get(), position, kReadAtOnce);
}

absl::StatusOr<std::vector<std::string>> LocalExecutor::List() {
  ASSIGN_OR_RETURN(std::vector<std::string> ids, FolderNames(options_.folder));
  std::erase_if(ids, [](const std::string& id) { return !IsTaskId(id); });
  return ids;
}

absl::Status LocalExecutor::Remove(std::string_view id) {
  ASSIGN_OR_RETURN(const TaskFiles files, OpenTask(id));
  if (!files.Exists("status.json")) {
    return absl::FailedPreconditionError(base::StrCat(
        "remove task '", id, "': it has not ended; stop it first"));
  }
  const absl::Time deadline = absl::Now() + kRemoveWait;
  while (true) {
    ASSIGN_OR_RETURN(const bool locked, files.IsLocked());
    if (!locked) break;
    if (absl::Now() > deadline) {
      return absl::FailedPreconditionError(
          base::StrCat("remove task '", id,
                       "': its container is still being cleared away; "
                       "try again"));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  if (files.Exists("upper")) {
    // A supervisor died over it.
    runtime::ChildOptions child;
    child.argv = options_.supervisor;
    child.argv.push_back(files.folder());
    RETURN_IF_ERROR(runtime::RunChild(std::move(child)).status());
  }
  const base::UniqueFd top(
      open(options_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  RETURN_IF_ERROR(store::image::RemoveTree(top.get(), std::string(id)));
  absl::MutexLock lock(&mutex_);
  spawned_.erase(std::string(id));
  return absl::OkStatus();
}

}  // namespace brume::exec
