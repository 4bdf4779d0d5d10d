#include "cli/program.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/output.h"
#include "runtime/child_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace brume::cli {
namespace {

constexpr std::array kHandedOn = {SIGTERM, SIGHUP,  SIGINT,
                                  SIGQUIT, SIGUSR1, SIGUSR2};

[[noreturn]] void Fail(int report, char kind, std::string_view message) {
  const std::string text = base::StrCat(std::string(1, kind), message);
  [[maybe_unused]] const ssize_t n = ::write(report, text.data(), text.size());
  ::_exit(127);
}

[[noreturn]] void RunChildSide(const Program& program, const sigset_t& mask,
                               int report) {
  if (program.enter != nullptr) {
    const absl::Status entered = program.enter();
    if (!entered.ok()) Fail(report, 'e', base::ToStd(entered.message()));
  }
  for (const std::string& name : program.environment.unset) {
    ::unsetenv(name.c_str());
  }
  for (const auto& [name, value] : program.environment.set) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> argv;
  for (const std::string& word : program.argv) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execvp(argv[0], argv.data());
  Fail(report, errno == ENOENT ? 'n' : 'x', std::strerror(errno));
}

// Hands signals on until the child has ended; its status.
int Attend(pid_t child, const sigset_t& watched) {
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    siginfo_t info = {};
    const int number = ::sigwaitinfo(&watched, &info);
    if (number < 0 || number == SIGCHLD) continue;
    // From the terminal it has gone to the whole group already.
    if (info.si_code == SI_KERNEL) continue;
    ::kill(child, number);
  }
}

}  // namespace

absl::StatusOr<int> RunProgram(const Program& program) {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  for (const int number : kHandedOn) sigaddset(&watched, number);
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  ASSIGN_OR_RETURN(runtime::Pipe report, runtime::MakePipe());
  const pid_t child = ::fork();
  if (child < 0) return base::ErrnoToStatus(errno, "fork");
  if (child == 0) RunChildSide(program, before, report.write.get());
  report.write.Reset();
  std::string failure(4096, '\0');
  ssize_t got = 0;
  do {
    got = ::read(report.read.get(), failure.data(), failure.size());
  } while (got < 0 && errno == EINTR);
  const int status = Attend(child, watched);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  failure.resize(got > 0 ? static_cast<size_t>(got) : 0);
  if (failure.empty()) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  const std::string message = failure.substr(1);
  if (failure[0] == 'e') return absl::FailedPreconditionError(message);
  PrintError(base::StrCat("run '", program.argv[0], "': ", message));
  return failure[0] == 'n' ? 127 : 126;
}

}  // namespace brume::cli
