#include "store/image/layer_unpacker.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/digest.h"
#include "store/image/tar_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr size_t kCopyBuffer = 256 * 1024;

absl::Status Failed(const TarEntry& entry) {
  return base::ErrnoToStatus(errno, base::StrCat("unpack '", entry.path, "'"));
}

class Unpacker {
 public:
  Unpacker(std::unique_ptr<ByteSource> archive, const RootedDir& root,
           const UnpackRights& rights)
      : tar_(std::move(archive)),
        root_(root),
        rights_(rights),
        buffer_(kCopyBuffer) {}

  absl::StatusOr<UnpackResult> Run() {
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<TarEntry> entry, tar_.Next());
      if (!entry.has_value()) break;
      RETURN_IF_ERROR(Apply(*entry));
      ++result_.files;
    }
    RETURN_IF_ERROR(tar_.DrainTrailer());
    RETURN_IF_ERROR(FinishDirectories());
    return result_;
  }

 private:
  // Times and modes of directories are set last: making files inside changes
  // the one and may be forbidden by the other.
  struct Pending {
    std::string path;
    uint32_t mode;
    int64_t mtime;
  };

  absl::Status Apply(const TarEntry& entry);
  absl::Status MakeDirectory(const TarEntry& entry);
  absl::Status MakeFile(const TarEntry& entry, const RootedDir::Parent& at);
  absl::Status MakeHardLink(const TarEntry& entry, const RootedDir::Parent& at);
  absl::Status MakeWhiteout(const TarEntry& entry, const RootedDir::Parent& at);
  absl::Status Replace(const TarEntry& entry, const RootedDir::Parent& at);
  absl::Status SetAttributes(const TarEntry& entry, int fd);
  absl::Status SetOwner(const TarEntry& entry, int dir, const char* name);
  absl::Status FinishDirectories();

  TarReader tar_;
  const RootedDir& root_;
  UnpackRights rights_;
  std::vector<char> buffer_;
  std::vector<Pending> directories_;
  UnpackResult result_;
};

absl::Status Unpacker::Apply(const TarEntry& entry) {
  if (entry.type == TarEntry::Type::kDirectory) return MakeDirectory(entry);
  ASSIGN_OR_RETURN(const RootedDir::Parent at,
                   root_.OpenParent(entry.path, /*create=*/true));
  if (at.name.starts_with(kWhiteout)) return MakeWhiteout(entry, at);
  switch (entry.type) {
    case TarEntry::Type::kFile:
      return MakeFile(entry, at);
    case TarEntry::Type::kHardLink:
      return MakeHardLink(entry, at);
    case TarEntry::Type::kSymlink:
      RETURN_IF_ERROR(Replace(entry, at));
      if (symlinkat(entry.link.c_str(), at.dir.get(), at.name.c_str()) != 0) {
        return Failed(entry);
      }
      return SetOwner(entry, at.dir.get(), at.name.c_str());
    case TarEntry::Type::kFifo:
      RETURN_IF_ERROR(Replace(entry, at));
      if (mkfifoat(at.dir.get(), at.name.c_str(), entry.mode) != 0) {
        return Failed(entry);
      }
      return SetOwner(entry, at.dir.get(), at.name.c_str());
    default:
      return absl::OkStatus();
  }
}

absl::Status Unpacker::MakeDirectory(const TarEntry& entry) {
  auto parent = root_.OpenParent(entry.path, /*create=*/true);
  base::UniqueFd fd;
  if (!parent.ok() && absl::IsInvalidArgument(parent.status())) {
    // "./" is the root itself; "a/.." is refused.
    if (entry.path.find("..") != std::string::npos) return parent.status();
    fd.Reset(openat(root_.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return Failed(entry);
  } else {
    RETURN_IF_ERROR(parent.status());
    const int dir = parent->dir.get();
    const char* name = parent->name.c_str();
    if (parent->name.starts_with(kWhiteout)) {
      return MakeWhiteout(entry, *parent);
    }
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (mkdirat(dir, name, 0700) != 0 && errno != EEXIST) return Failed(entry);
    fd.Reset(openat(dir, name, kFlags));
    if (!fd.valid()) {  // something else stood there
      RETURN_IF_ERROR(Replace(entry, *parent));
      if (mkdirat(dir, name, 0700) != 0) return Failed(entry);
      fd.Reset(openat(dir, name, kFlags));
      if (!fd.valid()) return Failed(entry);
    }
  }
  RETURN_IF_ERROR(SetAttributes(entry, fd.get()));
  // Writable to us until the end.
  if (fchmod(fd.get(), entry.mode | 0700) != 0) return Failed(entry);
  directories_.push_back({entry.path, entry.mode, entry.mtime});
  return absl::OkStatus();
}

absl::Status Unpacker::Replace(const TarEntry& entry,
                               const RootedDir::Parent& at) {
  if (at.name == "..") return Failed(entry);
  return RemoveTree(at.dir.get(), at.name);
}

absl::Status Unpacker::MakeFile(const TarEntry& entry,
                                const RootedDir::Parent& at) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  base::UniqueFd fd(openat(at.dir.get(), at.name.c_str(), kFlags, 0600));
  if (!fd.valid() && errno == EEXIST) {
    RETURN_IF_ERROR(Replace(entry, at));
    fd.Reset(openat(at.dir.get(), at.name.c_str(), kFlags, 0600));
  }
  if (!fd.valid()) return Failed(entry);
  while (true) {
    ASSIGN_OR_RETURN(const size_t got,
                     tar_.ReadData(buffer_.data(), buffer_.size()));
    if (got == 0) break;
    for (size_t done = 0; done < got;) {
      const ssize_t put = write(fd.get(), buffer_.data() + done, got - done);
      if (put < 0 && errno != EINTR) return Failed(entry);
      if (put > 0) done += static_cast<size_t>(put);
    }
  }
  result_.bytes += entry.size;
  RETURN_IF_ERROR(SetAttributes(entry, fd.get()));
  if (fchmod(fd.get(), entry.mode) != 0) return Failed(entry);
  const std::array<timespec, 2> times = {timespec{entry.mtime, 0},
                                         timespec{entry.mtime, 0}};
  futimens(fd.get(), times.data());
  return absl::OkStatus();
}

absl::Status Unpacker::MakeHardLink(const TarEntry& entry,
                                    const RootedDir::Parent& at) {
  auto target = root_.OpenParent(entry.link, /*create=*/false);
  if (!target.ok()) {
    return absl::InvalidArgumentError(
        base::StrCat("unpack '", entry.path, "': hard link to '", entry.link,
                     "', which is not in this layer"));
  }
  if (linkat(target->dir.get(), target->name.c_str(), at.dir.get(),
             at.name.c_str(), 0) == 0) {
    return absl::OkStatus();
  }
  if (errno == EEXIST) {
    struct stat from = {};
    struct stat to = {};
    fstatat(target->dir.get(), target->name.c_str(), &from,
            AT_SYMLINK_NOFOLLOW);
    fstatat(at.dir.get(), at.name.c_str(), &to, AT_SYMLINK_NOFOLLOW);
    if (from.st_ino == to.st_ino) return absl::OkStatus();
    RETURN_IF_ERROR(Replace(entry, at));
    if (linkat(target->dir.get(), target->name.c_str(), at.dir.get(),
               at.name.c_str(), 0) == 0) {
      return absl::OkStatus();
    }
  }
  return Failed(entry);
}

absl::Status Unpacker::MakeWhiteout(const TarEntry& entry,
                                    const RootedDir::Parent& at) {
  if (at.name == kOpaque) {
    if (fsetxattr(at.dir.get(), "user.overlay.opaque", "y", 1, 0) != 0) {
      return Failed(entry);
    }
    return absl::OkStatus();
  }
  // AUFS's own bookkeeping (".wh..wh.plnk") means nothing here.
  if (at.name.starts_with(".wh..wh.")) return absl::OkStatus();
  const std::string hidden = at.name.substr(kWhiteout.size());
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return absl::InvalidArgumentError(
        base::StrCat("unpack '", entry.path, "': a whiteout of no file"));
  }
  // A file of the same layer wins over a whiteout (layer.md).
  if (mknodat(at.dir.get(), hidden.c_str(), S_IFCHR, makedev(0, 0)) != 0 &&
      errno != EEXIST) {
    return Failed(entry);
  }
  return absl::OkStatus();
}

absl::Status Unpacker::SetOwner(const TarEntry& entry, int dir,
                                const char* name) {
  if (!rights_.change_owner) return absl::OkStatus();
  if (fchownat(dir, name, static_cast<uid_t>(entry.uid),
               static_cast<gid_t>(entry.gid), AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == EINVAL) {
      return absl::FailedPreconditionError(base::StrCat(
          "unpack '", entry.path, "': owner ", entry.uid, ":", entry.gid,
          " is outside this user's subordinate ids; give it a larger range in "
          "/etc/subuid and /etc/subgid"));
    }
    return Failed(entry);
  }
  return absl::OkStatus();
}

// Before the mode: chown clears set-uid bits.
absl::Status Unpacker::SetAttributes(const TarEntry& entry, int fd) {
  if (rights_.change_owner && fchown(fd, static_cast<uid_t>(entry.uid),
                                     static_cast<gid_t>(entry.gid)) != 0) {
    if (errno != EINVAL) return Failed(entry);
    return absl::FailedPreconditionError(base::StrCat(
        "unpack '", entry.path, "': owner ", entry.uid, ":", entry.gid,
        " is outside this user's subordinate ids; give it a larger range in "
        "/etc/subuid and /etc/subgid"));
  }
  for (const auto& [name, value] : entry.xattrs) {
    // Only what a program can use: file capabilities and user attributes, but
    // none that would steer overlayfs.
    const bool wanted =
        name == "security.capability" ||
        (name.starts_with("user.") && !name.starts_with("user.overlay."));
    if (wanted) fsetxattr(fd, name.c_str(), value.data(), value.size(), 0);
  }
  return absl::OkStatus();
}

absl::Status Unpacker::FinishDirectories() {
  // Backwards, so that a folder is closed after what is inside it.
  for (auto it = directories_.rbegin(); it != directories_.rend(); ++it) {
    const auto fd =
        root_.OpenFile(it->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd.ok()) continue;  // a later entry took its place
    fchmod(fd->get(), it->mode);
    const std::array<timespec, 2> times = {timespec{it->mtime, 0},
                                           timespec{it->mtime, 0}};
    futimens(fd->get(), times.data());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UnpackResult> UnpackLayer(std::unique_ptr<ByteSource> layer,
                                         const RootedDir& root,
                                         const UnpackRights& rights) {
  ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> plain,
                   Decompress(std::move(layer)));
  Sha256 hash;
  Unpacker unpacker(HashingSource(std::move(plain), &hash), root, rights);
  ASSIGN_OR_RETURN(UnpackResult result, unpacker.Run());
  result.diff_id = hash.Digest();
  return result;
}

}  // namespace brume::store::image
