#include "app/app.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/server_start.h"

#include <absl/time/clock.h>
#include <signal.h>

#include <optional>

namespace brume::cli {
namespace {

constexpr absl::Duration kDrainTime = absl::Seconds(10);

base::LogLevel LevelNamed(std::string_view name) {
  if (name == "debug") return base::LogLevel::kDebug;
  if (name == "warn") return base::LogLevel::kWarn;
  if (name == "error") return base::LogLevel::kError;
  return base::LogLevel::kInfo;
}

std::string UpstreamProxy(const Invocation& invocation) {
  if (invocation.values.Has("upstream-proxy")) {
    return invocation.values.Text("upstream-proxy");
  }
  // Inside `brume run` the proxy of the environment is Brume itself.
  if (invocation.environment("BRUME_RUN").has_value()) return "";
  for (const std::string_view name : {"HTTPS_PROXY", "https_proxy"}) {
    const std::optional<std::string> url = invocation.environment(name);
    if (url.has_value() && !url->empty()) return *url;
  }
  return "";
}

absl::StatusOr<int> Serve(const Invocation& invocation,
                          const std::string& folder) {
  // Blocked before the first thread is made, so that every thread leaves them
  // to sigwait.
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, number);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  base::SetLogLevel(LevelNamed(invocation.values.Text("log-level")));
  absl::StatusOr<std::unique_ptr<app::App>> app = app::App::Create({
      .data = folder,
      .port = invocation.values.Port("port"),
      .offline = invocation.values.Switch("offline"),
      .allowed_hosts = invocation.values.List("allow-host"),
      .upstream_proxy = UpstreamProxy(invocation),
      .stop = [] { ::kill(::getpid(), SIGTERM); },
  });
  ReportStart(invocation.environment, app.status(),
              app.ok() ? (*app)->port() : 0);
  RETURN_IF_ERROR(app.status());
  base::Log(base::LogLevel::kInfo, "app", "serving",
            {{"address", base::StrCat("127.0.0.1:", (*app)->port())},
             {"data", folder}});
  int number = 0;
  ::sigwait(&ends, &number);
  base::Log(base::LogLevel::kInfo, "app", "draining",
            {{"signal", ::strsignal(number)}});
  // A second signal ends it at once.
  ::sigprocmask(SIG_UNBLOCK, &ends, nullptr);
  (*app)->Drain(absl::Now() + kDrainTime);
  app->reset();
  base::Log(base::LogLevel::kInfo, "app", "stopped");
  return 0;
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  if (!invocation.values.Switch("daemon")) return Serve(invocation, folder);
  ASSIGN_OR_RETURN(const int port, StartInBackground(invocation, folder));
  Print(base::StrCat("Brume serves on http://127.0.0.1:", port,
                     " (data: ", folder, ")\n"));
  return 0;
}

}  // namespace

Command UpCommand() {
  return {.name = "up",
          .summary = "Start the local cloud.",
          .example =
              "  brume up -d\n"
              "  brume up --data /tmp/cloud --port 0   (in the "
              "foreground, on any free port)",
          .settings = {"data", "port", "daemon", "offline", "allow-host",
                       "upstream-proxy", "log-level"},
          .run = Run};
}

}  // namespace brume::cli
