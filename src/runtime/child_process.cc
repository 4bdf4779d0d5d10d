#include "runtime/child_process.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

extern char** environ;

namespace brume::runtime {
namespace {

constexpr int kFirstSpare = 200;  // above every descriptor number we give
constexpr size_t kMaxCaught = 1024 * 1024;

// Everything the child needs, made before fork.
struct Prepared {
  std::string path;
  std::vector<std::string> env_strings;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* variable = std::getenv("PATH");
  std::string path = variable != nullptr ? variable : "";
  // Where engines live, which an ordinary user's PATH often leaves out.
  path += ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find(':', at), path.size());
    const std::string file = path.substr(at, end - at) + "/" + name;
    if (end > at && access(file.c_str(), X_OK) == 0) return file;
    at = end + 1;
  }
  return name;
}

Prepared Prepare(const ChildOptions& options) {
  Prepared out;
  out.path = FindProgram(options.argv[0]);
  for (const std::string& word : options.argv) {
    out.argv.push_back(const_cast<char*>(word.c_str()));
  }
  out.argv.push_back(nullptr);
  if (options.env.has_value()) {
    for (const auto& [name, value] : *options.env) {
      out.env_strings.push_back(name + "=" + value);
    }
    for (std::string& entry : out.env_strings) {
      out.envp.push_back(entry.data());
    }
    out.envp.push_back(nullptr);
  }
  return out;
}

// In the child. Returns errno when something fails.
int SetUpAndExec(const ChildOptions& options, const Prepared& prepared) {
  std::array<int, 64> moved;
  if (options.fds.size() > moved.size()) return E2BIG;
  for (size_t i = 0; i < options.fds.size(); ++i) {
    moved[i] = fcntl(options.fds[i].first, F_DUPFD_CLOEXEC, kFirstSpare);
    if (moved[i] < 0) return errno;
  }
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) {
    if (dup2(null, fd) < 0 && null != fd) return errno;
  }
  if (null <= 2) fcntl(null, F_SETFD, 0);
  syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  for (size_t i = 0; i < options.fds.size(); ++i) {
    if (dup2(moved[i], options.fds[i].second) < 0) return errno;
  }
  if (options.die_with_parent) prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    signal(number, SIG_DFL);
  }
  if (!options.working_dir.empty() && chdir(options.working_dir.c_str()) != 0) {
    return errno;
  }
  execve(prepared.path.c_str(), prepared.argv.data(),
         prepared.envp.empty() ? environ : prepared.envp.data());
  return errno;
}

[[noreturn]] void ChildMain(const ChildOptions& options,
                            const Prepared& prepared, int report) {
  if (options.detached) {
    setsid();
    const pid_t second = fork();
    if (second > 0) _exit(0);
  }
  // Out of the way of the numbers to come.
  const int high = fcntl(report, F_DUPFD_CLOEXEC, kFirstSpare);
  const int error = high < 0 ? errno : SetUpAndExec(options, prepared);
  (void)!write(high < 0 ? report : high, &error, sizeof(error));
  _exit(127);
}

}  // namespace

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return base::ErrnoToStatus(errno, "open pipe");
  }
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

absl::StatusOr<pid_t> SpawnChild(const ChildOptions& options) {
  const Prepared prepared = Prepare(options);
  ASSIGN_OR_RETURN(Pipe report, MakePipe());
  const pid_t pid = fork();
  if (pid < 0) return base::ErrnoToStatus(errno, "fork");
  if (pid == 0) ChildMain(options, prepared, report.write.get());
  report.write.Reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(report.read.get(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (options.detached || got > 0) {
    RETURN_IF_ERROR(WaitChild(pid).status());
  }
  if (got > 0) {
    return base::ErrnoToStatus(error,
                               base::StrCat("run '", options.argv[0], "'"));
  }
  return pid;
}

absl::StatusOr<int> WaitChild(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return base::ErrnoToStatus(errno, "wait for child");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

absl::StatusOr<ChildOutput> RunChild(ChildOptions options) {
  ASSIGN_OR_RETURN(Pipe out, MakePipe());
  ASSIGN_OR_RETURN(Pipe err, MakePipe());
  options.fds.emplace_back(out.write.get(), 1);
  options.fds.emplace_back(err.write.get(), 2);
  ASSIGN_OR_RETURN(const pid_t pid, SpawnChild(options));
  out.write.Reset();
  err.write.Reset();
  ChildOutput result;
  std::array<pollfd, 2> polls = {pollfd{out.read.get(), POLLIN, 0},
                                 pollfd{err.read.get(), POLLIN, 0}};
  std::array<std::string*, 2> texts = {&result.out, &result.err};
  std::array<char, 16 * 1024> buffer;
  while (polls[0].fd >= 0 || polls[1].fd >= 0) {
    if (poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR) break;
    for (size_t i = 0; i < polls.size(); ++i) {
      if (polls[i].fd < 0 || polls[i].revents == 0) continue;
      const ssize_t got = read(polls[i].fd, buffer.data(), buffer.size());
      if (got <= 0) {
        polls[i].fd = -1;
      } else if (texts[i]->size() < kMaxCaught) {
        texts[i]->append(buffer.data(), static_cast<size_t>(got));
      }
    }
  }
  ASSIGN_OR_RETURN(result.exit_code, WaitChild(pid));
  return result;
}

}  // namespace brume::runtime
