#include "exec/local/runc.h"

#include "base/str_cat.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <boost/json.hpp>

#include <fstream>
#include <iterator>

namespace brume::exec {
namespace {

namespace json = boost::json;

std::string StateFolder(const TaskFiles& files) {
  return base::StrCat(files.folder(), "/run/state");
}

// Field 22 of /proc/PID/stat (proc(5)): start time in clock ticks since boot.
// Fields are counted after the last ')', since names may hold anything.
uint64_t StartTime(pid_t pid) {
  std::ifstream file(base::StrCat("/proc/", pid, "/stat"));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const size_t close = text.rfind(')');
  if (close == std::string::npos) return 0;
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(close + 1), ' ', absl::SkipEmpty());
  constexpr size_t kStart = 22 - 3;  // the first after ')' is field 3
  uint64_t start = 0;
  if (fields.size() <= kStart || fields[0] == "Z" ||
      !absl::SimpleAtoi(fields[kStart], &start)) {
    return 0;
  }
  return start;
}

}  // namespace

std::vector<std::string> RuncRun(const TaskFiles& files, std::string_view id,
                                 bool has_cgroup) {
  std::vector<std::string> argv = {"runc",
                                   "--root",
                                   StateFolder(files),
                                   "--log",
                                   base::StrCat(files.folder(), "/run/log"),
                                   "--log-format",
                                   "json"};
  // A cgroup that cannot be made is then no error.
  if (!has_cgroup) argv.insert(argv.end(), {"--rootless", "true"});
  argv.insert(argv.end(),
              {"run", "--detach", "--bundle",
               base::StrCat(files.folder(), "/run"), "--pid-file",
               base::StrCat(files.folder(), "/run/pid"), std::string(id)});
  return argv;
}

std::vector<std::string> RuncDelete(const TaskFiles& files,
                                    std::string_view id) {
  return {"runc",   "--root",  StateFolder(files),
          "delete", "--force", std::string(id)};
}

TaskResult ReadRuncFailure(const TaskFiles& files) {
  TaskResult result;
  result.cause = TaskResult::Cause::kStartFailed;
  result.exit_code = 128;
  result.message = "runc did not start the program and did not say why";
  const auto log = files.ReadFile("run/log");
  if (!log.ok() || !log->has_value()) return result;
  for (const absl::string_view line : absl::StrSplit(**log, '\n')) {
    boost::system::error_code error;
    const json::value value =
        json::parse(json::string_view(line.data(), line.size()), error);
    if (error || !value.is_object()) continue;
    const json::value* level = value.as_object().if_contains("level");
    const json::value* message = value.as_object().if_contains("msg");
    if (level != nullptr && *level == "error" && message != nullptr &&
        message->is_string()) {
      result.message = std::string(std::string_view(message->as_string()));
    }
  }
  constexpr std::string_view kPrefix = "runc run failed: ";
  if (result.message.starts_with(kPrefix)) {
    result.message.erase(0, kPrefix.size());
  }
  const auto says = [&result](std::string_view text) {
    return result.message.find(text) != std::string::npos;
  };
  if (says("exec: ") || says("exec /") || says("chdir to cwd")) {
    if (says("not found") || says("no such file or directory")) {
      result.exit_code = 127;
    } else if (says("permission denied")) {
      result.exit_code = 126;
    }
  }
  return result;
}

std::optional<pid_t> FindLiveInit(const TaskFiles& files, std::string_view id) {
  const auto text =
      files.ReadFile(base::StrCat("run/state/", id, "/state.json").c_str());
  if (!text.ok() || !text->has_value()) return std::nullopt;
  boost::system::error_code error;
  const json::value state = json::parse(**text, error);
  if (error || !state.is_object()) return std::nullopt;
  const json::value* pid = state.as_object().if_contains("init_process_pid");
  const json::value* start =
      state.as_object().if_contains("init_process_start");
  if (pid == nullptr || start == nullptr || !pid->is_int64() ||
      !start->is_number() || pid->as_int64() <= 1) {
    return std::nullopt;
  }
  const auto process = static_cast<pid_t>(pid->as_int64());
  const uint64_t began = start->to_number<uint64_t>();
  if (began == 0 || StartTime(process) != began) return std::nullopt;
  return process;
}

}  // namespace brume::exec
