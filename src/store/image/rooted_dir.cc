#include "store/image/rooted_dir.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/str_split.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

int OpenInRoot(int root, const std::string& path, int flags, uint32_t mode) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  while (true) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    // EAGAIN: something was renamed during the walk through "..".
    if (fd < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    return static_cast<int>(fd);
  }
}

absl::Status Failed(std::string_view verb, std::string_view path) {
  return base::ErrnoToStatus(errno,
                             base::StrCat(verb, " '", path, "' in the image"));
}

std::vector<std::string> Components(std::string_view path) {
  return absl::StrSplit(base::ToAbsl(path), '/', [](absl::string_view part) {
    return !part.empty() && part != ".";
  });
}

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

}  // namespace

absl::StatusOr<RootedDir> RootedDir::Open(const std::string& path) {
  base::UniqueFd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open folder '", path, "'"));
  }
  return RootedDir(std::move(fd));
}

absl::StatusOr<base::UniqueFd> RootedDir::OpenFile(std::string_view path,
                                                   int flags,
                                                   uint32_t mode) const {
  base::UniqueFd fd(OpenInRoot(fd_.get(), std::string(path), flags, mode));
  if (!fd.valid()) return Failed("open", path);
  return fd;
}

absl::Status RootedDir::MakeDirectories(std::string_view path,
                                        uint32_t mode) const {
  std::string so_far;
  for (const std::string& part : Components(path)) {
    if (part == "..") {
      base::StrAppend(&so_far, "/..");
      continue;
    }
    const std::string above = so_far.empty() ? "/" : so_far;
    base::StrAppend(&so_far, "/", part);
    const base::UniqueFd there(
        OpenInRoot(fd_.get(), so_far, O_PATH | O_DIRECTORY, 0));
    if (there.valid()) continue;
    if (errno != ENOENT) return Failed("make folder", path);
    const base::UniqueFd dir(
        OpenInRoot(fd_.get(), above, O_PATH | O_DIRECTORY, 0));
    if (!dir.valid() ||
        (mkdirat(dir.get(), part.c_str(), mode) != 0 && errno != EEXIST)) {
      return Failed("make folder", path);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<RootedDir::Parent> RootedDir::OpenParent(std::string_view path,
                                                        bool create) const {
  std::vector<std::string> parts = Components(path);
  if (parts.empty() || parts.back() == "..") {
    return absl::InvalidArgumentError(
        base::StrCat("open '", path, "' in the image: it names no file"));
  }
  Parent out;
  out.name = std::move(parts.back());
  const std::string_view folder =
      path.substr(0, path.rfind(out.name));  // ends in '/' or is empty
  const std::string above = base::StrCat("/", folder);
  out.dir =
      base::UniqueFd(OpenInRoot(fd_.get(), above, O_RDONLY | O_DIRECTORY, 0));
  if (!out.dir.valid() && errno == ENOENT && create) {
    RETURN_IF_ERROR(MakeDirectories(folder, 0755));
    out.dir =
        base::UniqueFd(OpenInRoot(fd_.get(), above, O_RDONLY | O_DIRECTORY, 0));
  }
  if (!out.dir.valid()) return Failed("open folder of", path);
  return out;
}

absl::StatusOr<std::string> RootedDir::ReadFile(std::string_view path,
                                                size_t limit) const {
  ASSIGN_OR_RETURN(const base::UniqueFd at, OpenFile(path, O_PATH));
  struct stat info = {};
  if (fstat(at.get(), &info) != 0) return Failed("stat", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        base::StrCat("read '", path, "' in the image: not a regular file"));
  }
  const base::UniqueFd fd(open(base::StrCat("/proc/self/fd/", at.get()).c_str(),
                               O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Failed("open", path);
  std::string out;
  std::vector<char> buffer(64 * 1024);
  while (true) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", path);
    if (got == 0) return out;
    if (out.size() + static_cast<size_t>(got) > limit) {
      return absl::ResourceExhaustedError(base::StrCat(
          "read '", path, "' in the image: larger than ", limit, " bytes"));
    }
    out.append(buffer.data(), static_cast<size_t>(got));
  }
}

namespace {

// Directories of images may be unreadable to their owner.
base::UniqueFd OpenForRemoval(int dir, const char* name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  base::UniqueFd fd(openat(dir, name, kFlags));
  if (!fd.valid() && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0) {
    fd.Reset(openat(dir, name, kFlags));
  }
  if (fd.valid()) fchmod(fd.get(), 0700);
  return fd;
}

std::vector<std::string> Names(int dir) {
  std::vector<std::string> names;
  const int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, CloseDir> stream(fdopendir(copy));
  if (stream == nullptr) {
    close(copy);
    return names;
  }
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

}  // namespace

absl::Status RemoveTree(int dir, const std::string& name) {
  // A stack of open folders instead of recursion: trees may be deep.
  struct Level {
    base::UniqueFd fd;
    std::string name;
    std::vector<std::string> left;
  };
  if (unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  struct stat top = {};
  if (fstatat(dir, name.c_str(), &top, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISDIR(top.st_mode)) {
    return base::ErrnoToStatus(errno, base::StrCat("remove '", name, "'"));
  }
  std::vector<Level> stack;
  const auto push = [&](int parent, const std::string& child) {
    base::UniqueFd fd = OpenForRemoval(parent, child.c_str());
    struct stat info = {};
    if (!fd.valid() || fstat(fd.get(), &info) != 0 ||
        info.st_dev != top.st_dev) {
      return false;
    }
    std::vector<std::string> names = Names(fd.get());
    stack.push_back({std::move(fd), child, std::move(names)});
    return true;
  };
  if (!push(dir, name)) {
    return base::ErrnoToStatus(errno, base::StrCat("remove '", name, "'"));
  }
  while (!stack.empty()) {
    Level& level = stack.back();
    if (level.left.empty()) {
      const std::string done = std::move(level.name);
      stack.pop_back();
      const int parent = stack.empty() ? dir : stack.back().fd.get();
      if (unlinkat(parent, done.c_str(), AT_REMOVEDIR) != 0) {
        return base::ErrnoToStatus(errno, base::StrCat("remove '", done, "'"));
      }
      continue;
    }
    const std::string child = std::move(level.left.back());
    level.left.pop_back();
    if (unlinkat(level.fd.get(), child.c_str(), 0) == 0) continue;
    if (errno != EISDIR && errno != EPERM) {
      return base::ErrnoToStatus(errno, base::StrCat("remove '", child, "'"));
    }
    if (!push(level.fd.get(), child)) {
      return base::ErrnoToStatus(errno, base::StrCat("remove '", child, "'"));
    }
  }
  return absl::OkStatus();
}

}  // namespace brume::store::image
