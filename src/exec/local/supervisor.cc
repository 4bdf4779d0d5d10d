#include "exec/local/supervisor.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "exec/local/container_root.h"
#include "exec/local/runc.h"
#include "runtime/child_process.h"
#include "runtime/fd_passing.h"
#include "runtime/id_mapping.h"

#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>
#include <absl/time/clock.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <utility>

namespace brume::exec {
namespace {

constexpr absl::Duration kSyncInterval = absl::Milliseconds(50);
// What a program's end may still leave in the pipes.
constexpr absl::Duration kDrainTime = absl::Seconds(5);
// From SIGTERM to SIGKILL when the time is up: Docker's default.
constexpr absl::Duration kTimeoutGrace = absl::Seconds(10);
constexpr size_t kMaxServers = 8;
constexpr int kFullDiskTries = 24 * 3600;  // a second apart
constexpr size_t kPipeRead = 256 * 1024;

sigset_t OwnSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&set, number);
  }
  return set;
}

// Distinguishes tasks of the same name of several data folders in the one
// cgroup tree of the machine.
std::string CgroupPath(const TaskFiles& files, std::string_view id) {
  return base::StrCat(
      "/brume/",
      absl::Hex(std::hash<std::string>()(files.folder()), absl::kZeroPad16),
      "-", id);
}

// A mount namespace of its own, in which nothing we mount is seen elsewhere.
absl::Status SealMounts() {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return base::ErrnoToStatus(errno, "make mount namespace");
  }
  return absl::OkStatus();
}

TaskResult Failed(const absl::Status& status) {
  TaskResult result;
  result.cause = TaskResult::Cause::kStartFailed;
  result.exit_code = 128;
  result.message = std::string(status.message());
  return result;
}

}  // namespace

Supervisor::Supervisor(TaskFiles files, base::UniqueFd lock,
                       base::UniqueFd server)
    : files_(std::move(files)),
      lock_(std::move(lock)),
      cgroups_(DetectCgroups()) {
  if (server.valid()) servers_.push_back(std::move(server));
}

absl::Status Supervisor::Run() {
  ASSIGN_OR_RETURN(const auto end, files_.ReadEnd());
  ASSIGN_OR_RETURN(auto record, files_.ReadRecord());
  if (!record.has_value()) {
    return absl::DataLossError("supervise task: it has no spec.json");
  }
  record_ = *std::move(record);
  cgroup_path_ = CgroupPath(files_, record_.spec.id);
  if (end.has_value()) {
    CleanUp();
    return absl::OkStatus();
  }
  if (files_.launched()) return Recover();

  const sigset_t own = OwnSignals();
  sigprocmask(SIG_BLOCK, &own, nullptr);
  signals_.Reset(signalfd(-1, &own, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) return base::ErrnoToStatus(errno, "open signalfd");
  if (const absl::Status started = Start(); !started.ok()) {
    start_failure_ = Failed(started);
  }
  Loop();
  return Finish(start_failure_.has_value() ? StartFailure() : ExitResult());
}

absl::Status Supervisor::Start() {
  ASSIGN_OR_RETURN(auto plan, files_.ReadPlan());
  if (!plan.has_value()) {
    return absl::DataLossError("supervise task: it has no launch.json");
  }
  plan_ = *std::move(plan);
  // Orphans of the container, its first process among them, become ours.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return base::ErrnoToStatus(errno, "become subreaper");
  }
  base::UniqueFd log(openat(files_.dir(), "log",
                            O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.valid()) return base::ErrnoToStatus(errno, "open the task's log");
  log_ = std::make_unique<LogWriter>(std::move(log));

  runtime::SealedNamespace::Options options;
  options.mapping = geteuid() == 0
                        ? runtime::SealedNamespace::Mapping::kNone
                        : runtime::SealedNamespace::Mapping::kSubordinate;
  options.proxy_port = plan_.proxy_port;
  ASSIGN_OR_RETURN(namespace_, runtime::SealedNamespace::Create(options));
  RETURN_IF_ERROR(Listen());
  for (base::UniqueFd& server : std::exchange(servers_, {})) {
    Greet(std::move(server));
  }
  RETURN_IF_ERROR(files_.WriteLaunched());
  CheckStop();
  if (ended_by_.has_value()) {
    return absl::CancelledError("cancelled before it was started");
  }

  ASSIGN_OR_RETURN(runtime::Pipe report, runtime::MakePipe());
  ASSIGN_OR_RETURN(runtime::Pipe out, runtime::MakePipe());
  ASSIGN_OR_RETURN(runtime::Pipe err, runtime::MakePipe());
  launcher_ = fork();
  if (launcher_ < 0) return base::ErrnoToStatus(errno, "fork");
  if (launcher_ == 0) {
    LaunchMain(report.write.get(), out.write.get(), err.write.get());
  }
  report_ = std::move(report.read);
  out_ = std::move(out.read);
  err_ = std::move(err.read);
  fcntl(out_.get(), F_SETFL, O_NONBLOCK);
  fcntl(err_.get(), F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

absl::Status Supervisor::Listen() {
  // By a relative name: a socket's path holds 107 bytes at most.
  if (fchdir(files_.dir()) != 0) {
    return base::ErrnoToStatus(errno, "enter task folder");
  }
  unlink("s");
  listener_.Reset(
      socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "s");
  if (!listener_.valid() ||
      bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0 ||
      chmod("s", 0600) != 0 || listen(listener_.get(), kMaxServers) != 0) {
    return base::ErrnoToStatus(errno, "listen for the server");
  }
  return absl::OkStatus();
}

// In the child: becomes runc.
void Supervisor::LaunchMain(int report, int out, int err) {
  const sigset_t own = OwnSignals();
  sigprocmask(SIG_UNBLOCK, &own, nullptr);
  const auto prepare = [this]() -> absl::Status {
    RETURN_IF_ERROR(namespace_->Enter());
    RETURN_IF_ERROR(SealMounts());
    return BuildContainer(files_, record_, plan_, cgroups_, cgroup_path_);
  };
  absl::Status status = prepare();
  if (status.ok()) {
    runtime::ChildOptions child;
    child.argv = RuncRun(files_, record_.spec.id, cgroups_.writable);
    child.fds = {{out, 1}, {err, 2}};
    const absl::StatusOr<pid_t> runc = runtime::SpawnChild(child);
    status = runc.status();
    if (runc.ok()) {
      // Its own copies would keep the pipes open.
      close(out);
      close(err);
      _exit(runtime::WaitChild(*runc).value_or(1));
    }
  }
  const std::string message(status.message());
  (void)!write(report, message.data(), message.size());
  _exit(1);
}

void Supervisor::Loop() {
  while (!Finished()) {
    std::vector<pollfd> polls = {{signals_.get(), POLLIN, 0},
                                 {listener_.get(), POLLIN, 0},
                                 {-1, POLLIN, 0},
                                 {-1, POLLIN, 0}};
    // Until runc has done its part, what comes may be its own complaint.
    if (init_ > 0) {
      polls[2].fd = out_.get();
      polls[3].fd = err_.get();
    }
    constexpr size_t kFixed = 4;
    for (const base::UniqueFd& server : servers_) {
      polls.push_back({server.get(), POLLIN, 0});
    }
    if (poll(polls.data(), polls.size(), PollTimeout()) < 0 && errno != EINTR) {
      break;
    }
    if (polls[2].revents != 0) ReadPipe(out_, out_lines_, false);
    if (polls[3].revents != 0) ReadPipe(err_, err_lines_, true);
    // Backwards: a server that left is taken out.
    for (size_t i = servers_.size(); i-- > 0;) {
      if (polls[kFixed + i].revents != 0) OnServer(i);
    }
    if (polls[1].revents != 0) Accept();
    if (polls[0].revents != 0) OnSignals();
    OnTimers();
  }
}

bool Supervisor::Finished() const {
  if (start_failure_.has_value()) return true;
  if (!init_status_.has_value()) return false;
  return (!out_.valid() && !err_.valid()) || absl::Now() >= drain_until_;
}

int Supervisor::PollTimeout() const {
  const absl::Time next =
      std::min({timeout_at_, kill_at_, sync_at_, drain_until_});
  if (next == absl::InfiniteFuture()) return -1;
  const int64_t millis = absl::ToInt64Milliseconds(next - absl::Now());
  return static_cast<int>(std::clamp<int64_t>(millis + 1, 0, 3'600'000));
}

void Supervisor::OnTimers() {
  const absl::Time now = absl::Now();
  if (now >= sync_at_) {
    sync_at_ = absl::InfiniteFuture();
    log_->Sync().IgnoreError();  // tried again with the next line
  }
  if (now >= timeout_at_) {
    timeout_at_ = absl::InfiniteFuture();
    End(Cause::kTimedOut, kTimeoutGrace);
  }
  if (now >= kill_at_) {
    kill_at_ = absl::InfiniteFuture();
    // The first process of its pid namespace: all others go with it.
    if (init_ > 0 && !init_status_.has_value()) kill(init_, SIGKILL);
  }
}

void Supervisor::OnSignals() {
  signalfd_siginfo info = {};
  while (read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    // The machine shuts down.
    if (info.ssi_signo != SIGCHLD) End(Cause::kCancelled, kTimeoutGrace);
  }
  Reap();
}

void Supervisor::Reap() {
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) break;
    if (pid == launcher_) {
      OnLaunched(status);
    } else {
      reaped_.emplace_back(pid, status);
    }
  }
  if (init_ <= 0 || init_status_.has_value()) return;
  for (const auto& [pid, status] : std::exchange(reaped_, {})) {
    if (pid != init_) continue;
    init_status_ = status;
    kill_at_ = timeout_at_ = absl::InfiniteFuture();
    drain_until_ = absl::Now() + kDrainTime;
  }
}

void Supervisor::OnLaunched(int wait_status) {
  launcher_ = -1;
  std::string why(4096, '\0');
  const ssize_t got = read(report_.get(), why.data(), why.size());
  why.resize(got > 0 ? static_cast<size_t>(got) : 0);
  if (!why.empty()) {
    start_failure_ = Failed(absl::InternalError(why));
    return;
  }
  if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
    start_failure_ = ReadRuncFailure(files_);
    return;
  }
  const auto text = files_.ReadFile("run/pid");
  int pid = 0;
  if (!text.ok() || !text->has_value() || !absl::SimpleAtoi(**text, &pid) ||
      pid <= 1) {
    start_failure_ = Failed(
        absl::InternalError("start program: runc did not tell its process id"));
    return;
  }
  init_ = pid;
  const absl::Time now = absl::Now();
  timeout_at_ = now + record_.spec.timeout;
  files_.WriteStarted(now).IgnoreError();  // shown only
  Notify();
  // Asked for while runc was at work.
  if (ended_by_.has_value()) kill(init_, SIGTERM);
}

void Supervisor::ReadPipe(base::UniqueFd& pipe, LineCutter& cutter,
                          bool is_stderr) {
  std::string buffer(kPipeRead, '\0');
  const ssize_t got = read(pipe.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  std::vector<std::string> lines;
  if (got > 0) {
    lines = cutter.Add({buffer.data(), static_cast<size_t>(got)});
  } else {
    pipe.Reset();
    if (std::string rest = cutter.Rest(); !rest.empty()) {
      lines.push_back(std::move(rest));
    }
  }
  if (lines.empty()) return;
  const absl::Time now = absl::Now();
  log_->Append(now, is_stderr, lines);
  sync_at_ = std::min(sync_at_, now + kSyncInterval);
  Notify();
}

void Supervisor::OnServer(size_t index) {
  std::array<char, 16> message;
  const ssize_t got =
      recv(servers_[index].get(), message.data(), message.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    servers_.erase(servers_.begin() + static_cast<ptrdiff_t>(index));
    return;
  }
  if (message[0] == 'S') CheckStop();
}

void Supervisor::Accept() {
  base::UniqueFd server(
      accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (server.valid() && servers_.size() < kMaxServers) {
    Greet(std::move(server));
  }
}

void Supervisor::Greet(base::UniqueFd server) {
  const runtime::SealedListeners& in = namespace_->listeners();
  std::vector<int> fds = {in.https.get(), in.http.get(), in.metadata.get(),
                          in.dns_udp.get(), in.dns_tcp.get()};
  if (in.proxy.valid()) fds.push_back(in.proxy.get());
  if (runtime::SendWithFds(server.get(), "L", fds).ok()) {
    servers_.push_back(std::move(server));
  }
}

void Supervisor::Notify() {
  // When a server's queue is full, it has news to read anyway.
  for (const base::UniqueFd& server : servers_) {
    (void)send(server.get(), "C", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

void Supervisor::CheckStop() {
  const auto stop = files_.ReadStop();
  if (stop.ok() && stop->has_value()) End(Cause::kCancelled, (*stop)->grace);
}

void Supervisor::End(Cause cause, absl::Duration grace) {
  if (ended_by_.has_value()) return;
  ended_by_ = cause;
  kill_at_ = absl::Now() + grace;
  timeout_at_ = absl::InfiniteFuture();
  if (init_ > 0 && !init_status_.has_value()) kill(init_, SIGTERM);
}

TaskResult Supervisor::StartFailure() const {
  TaskResult result = *start_failure_;
  if (ended_by_.has_value()) result.cause = *ended_by_;
  return result;
}

TaskResult Supervisor::ExitResult() const {
  TaskResult result;
  if (!init_status_.has_value()) {
    result.cause = Cause::kLost;
    result.message = "the supervisor failed while the program ran";
    return result;
  }
  result.exit_code = WIFSIGNALED(*init_status_) ? 128 + WTERMSIG(*init_status_)
                                                : WEXITSTATUS(*init_status_);
  if (ended_by_.has_value()) {
    result.cause = *ended_by_;
  } else if (result.exit_code != 0 &&
             CountOomKills(cgroups_, cgroup_path_) > 0) {
    result.cause = Cause::kOutOfMemory;
  }
  return result;
}

absl::Status Supervisor::Finish(TaskResult result) {
  if (log_ != nullptr) {
    for (const bool is_stderr : {false, true}) {
      std::string rest = (is_stderr ? err_lines_ : out_lines_).Rest();
      if (!rest.empty()) {
        log_->Append(absl::Now(), is_stderr, {std::move(rest)});
      }
    }
    log_->Sync().IgnoreError();  // the status matters more
  }
  const TaskEnd end = {std::move(result), absl::Now()};
  absl::Status written = files_.Write(end);
  // A full disk: the true result is worth waiting for.
  for (int i = 0; i < kFullDiskTries && absl::IsResourceExhausted(written);
       ++i) {
    absl::SleepFor(absl::Seconds(1));
    written = files_.Write(end);
  }
  Notify();
  CleanUp();
  return written;
}

absl::Status Supervisor::Recover() {
  if (const auto init = FindLiveInit(files_, record_.spec.id)) {
    const base::UniqueFd process(
        static_cast<int>(syscall(SYS_pidfd_open, *init, 0)));
    // Asked once more: only now the id cannot become another process's.
    if (process.valid() && FindLiveInit(files_, record_.spec.id) == init) {
      syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
      pollfd ended = {process.get(), POLLIN, 0};
      poll(&ended, 1, 10'000);
    }
  }
  TaskResult result;
  result.cause = Cause::kLost;
  result.message =
      "the process that supervised the program died before it (killed, or the "
      "machine went down), so how it ended is not known; start it again";
  return Finish(std::move(result));
}

void Supervisor::CleanUp() {
  // In a child, since an ordinary user's container left files of its
  // subordinate ids, which only root of such a namespace may remove.
  const pid_t child = fork();
  if (child == 0) {
    const sigset_t own = OwnSignals();
    sigprocmask(SIG_UNBLOCK, &own, nullptr);
    absl::Status status;
    if (namespace_ != nullptr) {
      status = namespace_->Enter();
    } else if (geteuid() != 0) {
      status = runtime::EnterMappedUserNamespace();
    }
    if (status.ok() && files_.Exists("run/state")) {
      runtime::RunChild({.argv = RuncDelete(files_, record_.spec.id)})
          .status()
          .IgnoreError();
    }
    if (status.ok()) status = RemoveContainer(files_);
    if (!status.ok()) {
      const std::string message(status.message());
      std::fprintf(stderr, "clean up: %s\n", message.c_str());
    }
    _exit(status.ok() ? 0 : 1);
  }
  int ignored = 0;
  while (child > 0 && waitpid(child, &ignored, 0) < 0 && errno == EINTR) {
  }
}

int SuperviseMain(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  umask(0022);
  int server = -1;
  if (argc < 1 || argc > 2 ||
      (argc == 2 && !absl::SimpleAtoi(argv[1], &server))) {
    std::fprintf(stderr, "supervise: a task folder is expected\n");
    return 2;
  }
  base::UniqueFd connection(server);
  if (server >= 0) fcntl(server, F_SETFD, FD_CLOEXEC);
  const auto run = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(TaskFiles files, TaskFiles::Open(argv[0]));
    ASSIGN_OR_RETURN(auto lock, files.TakeLock());
    if (!lock.has_value()) return absl::OkStatus();  // another one lives
    return Supervisor(std::move(files), *std::move(lock), std::move(connection))
        .Run();
  };
  const absl::Status status = run();
  if (status.ok()) return 0;
  const std::string message(status.message());
  std::fprintf(stderr, "supervise: %s\n", message.c_str());
  return 1;
}

}  // namespace brume::exec
