#include "app/control_client.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <boost/json/object.hpp>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace brume::cli {
namespace {

namespace json = boost::json;

constexpr int kStopMillis = 30'000;

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  auto client = app::ControlClient::Connect(folder);
  if (absl::IsUnavailable(client.status())) {
    Print(base::StrCat("No server uses ", folder, ".\n"));
    return 0;
  }
  RETURN_IF_ERROR(client.status());
  ASSIGN_OR_RETURN(const json::object status, (*client)->Call("status"));
  const auto pid = static_cast<pid_t>(status.at("pid").as_int64());
  const base::UniqueFd process(
      static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  RETURN_IF_ERROR((*client)->Call("stop").status());
  (*client)->WaitForClose();
  if (process.valid()) {
    pollfd ended = {process.get(), POLLIN, 0};
    if (::poll(&ended, 1, kStopMillis) == 0) {
      return absl::DeadlineExceededError(
          base::StrCat("stop server: process ", pid,
                       " is still there after 30 s; see its log"));
    }
  }
  Print("Brume has stopped.\n");
  return 0;
}

}  // namespace

Command DownCommand() {
  return {.name = "down",
          .summary =
              "Stop the server of a data folder; returns when it is "
              "gone. Data stays.",
          .example = "  brume down",
          .settings = {"data"},
          .run = Run};
}

}  // namespace brume::cli
