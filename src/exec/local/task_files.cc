#include "exec/local/task_files.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <utility>

namespace brume::exec {
namespace {

namespace json = boost::json;
using store::image::ImageConfig;

constexpr size_t kMaxFile = 16 * 1024 * 1024;

int64_t Micros(absl::Time time) { return absl::ToUnixMicros(time); }

// Reads members of a document of our own; the first that is wrong is told at
// the end.
class Reader {
 public:
  Reader(std::string_view file, const json::value& value) : file_(file) {
    if (value.is_object()) {
      object_ = &value.as_object();
    } else {
      Fail("(document)");
    }
  }

  void Get(std::string_view key, std::string& out) {
    const json::value* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return Fail(key);
    out = std::string(std::string_view(value->as_string()));
  }
  void Get(std::string_view key, std::vector<std::string>& out) {
    const json::value* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_array()) return Fail(key);
    out.clear();
    for (const json::value& item : value->as_array()) {
      if (!item.is_string()) return Fail(key);
      out.emplace_back(std::string_view(item.as_string()));
    }
  }
  void Get(std::string_view key, std::map<std::string, std::string>& out) {
    const json::value* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_object()) return Fail(key);
    for (const auto& item : value->as_object()) {
      if (!item.value().is_string()) return Fail(key);
      out[std::string(std::string_view(item.key()))] =
          std::string(std::string_view(item.value().as_string()));
    }
  }
  void Get(std::string_view key, int64_t& out) {
    const json::value* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_int64()) return Fail(key);
    out = value->as_int64();
  }
  void Get(std::string_view key, double& out) {
    const json::value* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_number()) return Fail(key);
    out = value->to_number<double>();
  }
  void Get(std::string_view key, absl::Time& out) {
    int64_t micros = 0;
    Get(key, micros);
    out = absl::FromUnixMicros(micros);
  }
  bool Has(std::string_view key) const {
    return object_ != nullptr && object_->contains(key);
  }
  absl::Status Done() const { return status_; }

 private:
  const json::value* Find(std::string_view key) const {
    return object_ == nullptr ? nullptr : object_->if_contains(key);
  }
  void Fail(std::string_view key) {
    status_ = absl::DataLossError(
        base::StrCat("read task file '", file_, "': '", key, "' is malformed"));
  }

  std::string file_;
  const json::object* object_ = nullptr;
  absl::Status status_;
};

absl::StatusOr<std::optional<json::value>> ReadJson(const TaskFiles& files,
                                                    const char* name) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, files.ReadFile(name));
  if (!text.has_value()) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(*text, error);
  if (error) {
    return absl::DataLossError(
        base::StrCat("read task file '", name, "': ", error.message()));
  }
  return value;
}

json::value OrNull(const std::optional<std::vector<std::string>>& words) {
  return words.has_value() ? json::value_from(*words) : json::value();
}

json::object FromMap(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [key, value] : map) out[key] = value;
  return out;
}

}  // namespace

absl::StatusOr<TaskFiles> TaskFiles::Open(const std::string& folder) {
  base::UniqueFd dir(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) {
    return base::ErrnoToStatus(errno,
                               base::StrCat("open task folder '", folder, "'"));
  }
  return TaskFiles(folder, std::move(dir));
}

bool TaskFiles::Exists(const char* name) const {
  return faccessat(dir(), name, F_OK, 0) == 0;
}

absl::StatusOr<std::optional<std::string>> TaskFiles::ReadFile(
    const char* name) const {
  const base::UniqueFd fd(openat(dir(), name, O_RDONLY | O_CLOEXEC));
  const std::string action = base::StrCat("read '", folder_, "/", name, "'");
  if (!fd.valid()) {
    if (errno == ENOENT) return std::nullopt;
    return base::ErrnoToStatus(errno, action);
  }
  std::string out;
  std::string buffer(64 * 1024, '\0');
  while (true) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::ErrnoToStatus(errno, action);
    if (got == 0) return out;
    out.append(buffer.data(), static_cast<size_t>(got));
    if (out.size() > kMaxFile) {
      return absl::DataLossError(base::StrCat(action, ": too large"));
    }
  }
}

absl::Status TaskFiles::WriteFile(const char* name, std::string_view bytes,
                                  Sync sync) const {
  const std::string action = base::StrCat("write '", folder_, "/", name, "'");
  const std::string scratch = base::StrCat(name, ".new");
  const base::UniqueFd fd(openat(
      dir(), scratch.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return base::ErrnoToStatus(errno, action);
  while (!bytes.empty()) {
    const ssize_t put = write(fd.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return base::ErrnoToStatus(errno, action);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  const bool synced = sync == Sync::kYes;
  if ((synced && fsync(fd.get()) != 0) ||
      renameat(dir(), scratch.c_str(), dir(), name) != 0 ||
      (synced && fsync(dir()) != 0)) {
    return base::ErrnoToStatus(errno, action);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TaskRecord>> TaskFiles::ReadRecord() const {
  ASSIGN_OR_RETURN(const auto document, ReadJson(*this, "spec.json"));
  if (!document.has_value()) return std::nullopt;
  TaskRecord out;
  TaskSpec& spec = out.spec;
  Reader reader("spec.json", *document);
  reader.Get("created", out.created);
  reader.Get("id", spec.id);
  reader.Get("image", spec.image);
  if (reader.Has("command")) reader.Get("command", spec.command.emplace());
  if (reader.Has("args")) reader.Get("args", spec.args.emplace());
  reader.Get("env", spec.env);
  reader.Get("account", spec.account);
  reader.Get("project", spec.project);
  reader.Get("projectNumber", spec.project_number);
  reader.Get("zone", spec.zone);
  reader.Get("hostname", spec.hostname);
  if (reader.Has("cpus")) reader.Get("cpus", spec.cpus.emplace());
  int64_t number = 0;
  if (reader.Has("memory")) {
    reader.Get("memory", number);
    spec.memory = static_cast<uint64_t>(number);
  }
  if (reader.Has("timeoutMicros")) {
    reader.Get("timeoutMicros", number);
    spec.timeout = absl::Microseconds(number);
  }
  RETURN_IF_ERROR(reader.Done());
  return out;
}

absl::Status TaskFiles::Write(const TaskRecord& record) const {
  const TaskSpec& spec = record.spec;
  json::object out = {{"created", Micros(record.created)},
                      {"id", spec.id},
                      {"image", spec.image},
                      {"env", FromMap(spec.env)},
                      {"account", spec.account},
                      {"project", spec.project},
                      {"projectNumber", spec.project_number},
                      {"zone", spec.zone},
                      {"hostname", spec.hostname}};
  if (spec.command) out["command"] = OrNull(spec.command);
  if (spec.args) out["args"] = OrNull(spec.args);
  if (spec.cpus) out["cpus"] = *spec.cpus;
  if (spec.memory) out["memory"] = static_cast<int64_t>(*spec.memory);
  if (spec.timeout != absl::InfiniteDuration()) {
    out["timeoutMicros"] = absl::ToInt64Microseconds(spec.timeout);
  }
  return WriteFile("spec.json", json::serialize(out));
}

absl::StatusOr<std::optional<LaunchPlan>> TaskFiles::ReadPlan() const {
  ASSIGN_OR_RETURN(const auto document, ReadJson(*this, "launch.json"));
  if (!document.has_value()) return std::nullopt;
  LaunchPlan out;
  Reader reader("launch.json", *document);
  reader.Get("user", out.image.user);
  reader.Get("workingDir", out.image.working_dir);
  reader.Get("env", out.image.env);
  reader.Get("entrypoint", out.image.entrypoint);
  reader.Get("cmd", out.image.cmd);
  reader.Get("layers", out.layers);
  reader.Get("layersFolder", out.layers_folder);
  reader.Get("caFile", out.ca_file);
  int64_t port = 0;
  reader.Get("proxyPort", port);
  out.proxy_port = static_cast<uint16_t>(port);
  RETURN_IF_ERROR(reader.Done());
  return out;
}

absl::Status TaskFiles::Write(const LaunchPlan& plan) const {
  const json::object out = {
      {"user", plan.image.user},
      {"workingDir", plan.image.working_dir},
      {"env", json::value_from(plan.image.env)},
      {"entrypoint", json::value_from(plan.image.entrypoint)},
      {"cmd", json::value_from(plan.image.cmd)},
      {"layers", json::value_from(plan.layers)},
      {"layersFolder", plan.layers_folder},
      {"caFile", plan.ca_file},
      {"proxyPort", plan.proxy_port}};
  return WriteFile("launch.json", json::serialize(out), Sync::kNo);
}

absl::StatusOr<std::optional<StopRequest>> TaskFiles::ReadStop() const {
  ASSIGN_OR_RETURN(const auto document, ReadJson(*this, "stop.json"));
  if (!document.has_value()) return std::nullopt;
  StopRequest out;
  Reader reader("stop.json", *document);
  reader.Get("asked", out.asked);
  int64_t grace = 0;
  reader.Get("graceMicros", grace);
  out.grace = absl::Microseconds(grace);
  RETURN_IF_ERROR(reader.Done());
  return out;
}

absl::Status TaskFiles::Write(const StopRequest& stop) const {
  return WriteFile(
      "stop.json",
      json::serialize(json::object{
          {"asked", Micros(stop.asked)},
          {"graceMicros", absl::ToInt64Microseconds(stop.grace)}}));
}

absl::Status TaskFiles::WriteLaunched() const {
  return WriteFile("launched", "");
}

absl::StatusOr<std::optional<absl::Time>> TaskFiles::ReadStarted() const {
  ASSIGN_OR_RETURN(const auto document, ReadJson(*this, "started.json"));
  if (!document.has_value()) return std::nullopt;
  absl::Time out;
  Reader reader("started.json", *document);
  reader.Get("started", out);
  RETURN_IF_ERROR(reader.Done());
  return out;
}

absl::Status TaskFiles::WriteStarted(absl::Time started) const {
  return WriteFile("started.json",
                   json::serialize(json::object{{"started", Micros(started)}}),
                   Sync::kNo);
}

absl::StatusOr<std::optional<TaskEnd>> TaskFiles::ReadEnd() const {
  ASSIGN_OR_RETURN(const auto document, ReadJson(*this, "status.json"));
  if (!document.has_value()) return std::nullopt;
  TaskEnd out;
  Reader reader("status.json", *document);
  reader.Get("ended", out.ended);
  int64_t cause = 0;
  int64_t code = 0;
  reader.Get("cause", cause);
  reader.Get("exitCode", code);
  reader.Get("message", out.result.message);
  RETURN_IF_ERROR(reader.Done());
  out.result.cause = static_cast<TaskResult::Cause>(cause);
  out.result.exit_code = static_cast<int>(code);
  return out;
}

absl::Status TaskFiles::Write(const TaskEnd& end) const {
  return WriteFile("status.json",
                   json::serialize(json::object{
                       {"ended", Micros(end.ended)},
                       {"cause", static_cast<int>(end.result.cause)},
                       {"exitCode", end.result.exit_code},
                       {"message", end.result.message}}));
}

absl::StatusOr<std::optional<base::UniqueFd>> TaskFiles::TakeLock() const {
  base::UniqueFd fd(openat(dir(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("lock '", folder_, "'"));
  }
  // Of the open file, not of the process (F_OFD_SETLK): it survives a fork, and
  // F_OFD_GETLK asks without taking it.
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  if (fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    return base::ErrnoToStatus(errno, base::StrCat("lock '", folder_, "'"));
  }
  return fd;
}

absl::StatusOr<bool> TaskFiles::IsLocked() const {
  const base::UniqueFd fd(openat(dir(), "lock", O_RDWR | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT) return false;
    return base::ErrnoToStatus(errno, base::StrCat("lock '", folder_, "'"));
  }
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  if (fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("lock '", folder_, "'"));
  }
  return lock.l_type != F_UNLCK;
}

}  // namespace brume::exec
