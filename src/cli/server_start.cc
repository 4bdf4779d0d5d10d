#include "cli/server_start.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/files.h"
#include "cli/output.h"
#include "runtime/child_process.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/time/clock.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <map>

extern char** environ;

namespace brume::cli {
namespace {

constexpr int kReadyFd = 3;
constexpr int kStartMillis = 30'000;
constexpr int kLockedTries = 200;
constexpr absl::Duration kLockedPause = absl::Milliseconds(50);

// What DataFolder says.
bool IsLocked(const absl::Status& status) {
  return absl::StrContains(status.message(), "another server uses it");
}

std::map<std::string, std::string> OwnEnvironment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == text.npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

// Reads until the writer closes or the time is over.
std::string ReadReport(int fd) {
  std::string report;
  pollfd poll_fd = {fd, POLLIN, 0};
  while (true) {
    const int ready = ::poll(&poll_fd, 1, kStartMillis);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return report;
    char buffer[1024];
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got <= 0) return report;
    report.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

absl::StatusOr<int> StartInBackground(const Invocation& invocation,
                                      const std::string& folder) {
  RETURN_IF_ERROR(MakeFolders(folder));
  const std::string log_path = folder + "/brume.log";
  const base::UniqueFd log(::open(
      log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open '", log_path, "'"));
  }
  ASSIGN_OR_RETURN(runtime::Pipe report, runtime::MakePipe());
  runtime::ChildOptions child;
  child.argv = {"/proc/self/exe", "up", "--data", folder};
  const config::Values& values = invocation.values;
  for (const std::string_view name :
       {"port", "log-level", "upstream-proxy", "allow-host"}) {
    if (values.SourceOf(name) != config::Values::Source::kFlag) continue;
    child.argv.push_back(base::StrCat("--", name, "=", values.Text(name)));
  }
  child.env = OwnEnvironment();
  (*child.env)["BRUME_READY_FD"] = std::to_string(kReadyFd);
  child.fds = {{log.get(), 1}, {log.get(), 2}, {report.write.get(), kReadyFd}};
  child.working_dir = "/";
  child.detached = true;
  RETURN_IF_ERROR(runtime::SpawnChild(child).status());
  report.write.Reset();
  const std::string text = ReadReport(report.read.get());
  int port = 0;
  if (absl::SimpleAtoi(text, &port)) return port;
  if (!text.empty()) return absl::FailedPreconditionError(text);
  return absl::UnavailableError(base::StrCat(
      "start server: it did not answer; its log is '", log_path, "'"));
}

absl::StatusOr<std::unique_ptr<app::ControlClient>> ConnectOrStart(
    const Invocation& invocation, const std::string& folder) {
  auto client = app::ControlClient::Connect(folder);
  if (!absl::IsUnavailable(client.status())) return client;
  const absl::StatusOr<int> port = StartInBackground(invocation, folder);
  client = app::ControlClient::Connect(folder);
  // Of commands that start one at the same time all but one find the folder
  // locked, and the other's server on its way.
  for (int tries = 0;
       !client.ok() && IsLocked(port.status()) && tries < kLockedTries;
       ++tries) {
    absl::SleepFor(kLockedPause);
    client = app::ControlClient::Connect(folder);
  }
  if (!client.ok()) return port.ok() ? client.status() : port.status();
  if (port.ok()) {
    PrintNote(base::StrCat("started a server on port ", *port,
                           "; 'brume down' stops it"));
  }
  return client;
}

void ReportStart(const config::Environment& environment,
                 const absl::Status& status, int port) {
  const auto text = environment("BRUME_READY_FD");
  int fd = -1;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &fd) || fd < 3) return;
  const std::string report = status.ok()
                                 ? std::to_string(port)
                                 : std::string(base::ToStd(status.message()));
  [[maybe_unused]] const ssize_t n = ::write(fd, report.data(), report.size());
  ::close(fd);
  ::unsetenv("BRUME_READY_FD");
}

}  // namespace brume::cli
