#include "runtime/id_mapping.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "base/unique_fd.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

namespace brume::runtime {
namespace {

absl::Status WriteProcFile(const char* path, std::string_view text) {
  base::UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), text.data(), text.size()) !=
                         static_cast<ssize_t>(text.size())) {
    return base::ErrnoToStatus(errno, base::StrCat("write '", path, "'"));
  }
  return absl::OkStatus();
}

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::Status RunMapTool(const char* tool, pid_t process, uint32_t own,
                        const IdRange& range) {
  std::vector<std::string> words = {tool,
                                    base::StrCat(process),
                                    "0",
                                    base::StrCat(own),
                                    "1",
                                    "1",
                                    base::StrCat(range.first),
                                    base::StrCat(range.count)};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = -1;
  if (const int error =
          ::posix_spawnp(&child, tool, nullptr, nullptr, argv.data(), environ);
      error != 0) {
    if (error == ENOENT) {
      return absl::FailedPreconditionError(base::StrCat(
          "run '", tool, "': not installed; install the package 'uidmap'"));
    }
    return base::ErrnoToStatus(error, base::StrCat("run '", tool, "'"));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return absl::FailedPreconditionError(
        base::StrCat("run '", tool,
                     "': it refused the map; check /etc/subuid and "
                     "/etc/subgid"));
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<IdRange> FindSubordinateRange(std::string_view text,
                                            std::string_view user, uid_t uid) {
  const std::string number = base::StrCat(uid);
  std::optional<IdRange> best;
  for (absl::string_view line : absl::StrSplit(base::ToAbsl(text), '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, ':');
    IdRange range;
    if (parts.size() != 3 ||
        (base::ToStd(parts[0]) != user && parts[0] != number) ||
        !absl::SimpleAtoi(parts[1], &range.first) ||
        !absl::SimpleAtoi(parts[2], &range.count) || range.count == 0) {
      continue;
    }
    if (!best || range.count > best->count) best = range;
  }
  return best;
}

absl::StatusOr<SubordinateIds> OwnSubordinateIds() {
  const uid_t uid = ::geteuid();
  passwd entry = {};
  passwd* found = nullptr;
  std::string buffer(16384, '\0');
  std::string name;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    name = found->pw_name;
  }
  const std::optional<IdRange> uids =
      FindSubordinateRange(ReadAll("/etc/subuid"), name, uid);
  const std::optional<IdRange> gids =
      FindSubordinateRange(ReadAll("/etc/subgid"), name, uid);
  if (!uids || !gids) {
    return absl::FailedPreconditionError(base::StrCat(
        "find subordinate ids of '", name.empty() ? base::StrCat(uid) : name,
        "': none in /etc/subuid and /etc/subgid; run 'sudo usermod "
        "--add-subuids 100000-165535 --add-subgids 100000-165535 ",
        name, "'"));
  }
  return SubordinateIds{*uids, *gids};
}

absl::Status MapSelf(uid_t uid, gid_t gid) {
  // Without "deny" an unprivileged process may not write its gid map.
  RETURN_IF_ERROR(WriteProcFile("/proc/self/setgroups", "deny"));
  RETURN_IF_ERROR(
      WriteProcFile("/proc/self/uid_map", base::StrCat(uid, " ", uid, " 1")));
  return WriteProcFile("/proc/self/gid_map", base::StrCat(gid, " ", gid, " 1"));
}

absl::Status MapSubordinate(pid_t process) {
  ASSIGN_OR_RETURN(const SubordinateIds ids, OwnSubordinateIds());
  RETURN_IF_ERROR(RunMapTool("newuidmap", process, ::geteuid(), ids.uids));
  return RunMapTool("newgidmap", process, ::getegid(), ids.gids);
}

absl::Status EnterMappedUserNamespace() {
  // newuidmap must run outside: in a child that stays there.
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return base::ErrnoToStatus(errno, "open socket pair");
  }
  base::UniqueFd ours(pair[0]);
  base::UniqueFd theirs(pair[1]);
  const pid_t process = ::getpid();
  const pid_t helper = ::fork();
  if (helper < 0) return base::ErrnoToStatus(errno, "fork");
  if (helper == 0) {
    ours.Reset();
    char byte = 0;
    if (::read(theirs.get(), &byte, 1) != 1) ::_exit(1);
    const absl::Status mapped = MapSubordinate(process);
    const std::string reply =
        mapped.ok() ? "k" : base::StrCat("e", mapped.message());
    ::_exit(::write(theirs.get(), reply.data(), reply.size()) > 0 ? 0 : 1);
  }
  theirs.Reset();
  absl::Status status;
  if (::unshare(CLONE_NEWUSER) != 0) {
    status = absl::FailedPreconditionError(base::StrCat(
        "create user namespace: ", std::strerror(errno),
        "; this machine must allow them (sysctl "
        "kernel.unprivileged_userns_clone=1, user.max_user_namespaces > 0)"));
    ours.Reset();
  } else {
    std::string reply(1024, '\0');
    ssize_t got = -1;
    if (::write(ours.get(), "g", 1) == 1) {
      got = ::read(ours.get(), reply.data(), reply.size());
    }
    reply.resize(got > 0 ? static_cast<size_t>(got) : 0);
    if (reply != "k") {
      status = absl::FailedPreconditionError(
          reply.empty() ? "create user namespace: id maps were not written"
                        : reply.substr(1));
    }
  }
  int ignored = 0;
  while (::waitpid(helper, &ignored, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace brume::runtime
