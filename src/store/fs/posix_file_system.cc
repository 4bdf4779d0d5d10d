#include "store/fs/posix_file_system.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace brume::store {
namespace {

// Long enough to be written in one go, short enough that the last sync does not
// wait for much.
constexpr uint64_t kWriteBehindBytes = 8 << 20;

absl::Status Error(int error, std::string_view action, std::string_view path) {
  return base::ErrnoToStatus(error, base::StrCat(action, " '", path, "'"));
}

absl::StatusOr<base::UniqueFd> OpenDescriptor(const std::string& path,
                                              int flags) {
  while (true) {
    base::UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    if (fd.valid()) return fd;
    if (errno != EINTR) return Error(errno, "open", path);
  }
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, base::UniqueFd fd, uint64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset, size_t count,
                                char* out) const override {
    size_t done = 0;
    while (done < count) {
      const ssize_t got = ::pread(fd_.get(), out + done, count - done,
                                  static_cast<off_t>(offset + done));
      if (got == 0) break;
      if (got > 0) {
        done += static_cast<size_t>(got);
      } else if (errno != EINTR) {
        return Error(errno, "read", path_);
      }
    }
    return done;
  }

  absl::Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
      if (put > 0) {
        size_ += static_cast<uint64_t>(put);
        bytes.remove_prefix(static_cast<size_t>(put));
      } else if (errno != EINTR) {
        return Error(errno, "write", path_);
      }
    }
    if (size_ - handed_over_ >= kWriteBehindBytes) {
      // Only a hint; what counts is Sync.
      (void)::sync_file_range(fd_.get(), static_cast<off_t>(handed_over_),
                              static_cast<off_t>(size_ - handed_over_),
                              SYNC_FILE_RANGE_WRITE);
      handed_over_ = size_;
    }
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      return Error(errno, "truncate", path_);
    }
    size_ = size;
    handed_over_ = std::min(handed_over_, size);
    return absl::OkStatus();
  }

  absl::Status Sync(std::string_view) override {
    if (::fdatasync(fd_.get()) != 0) return Error(errno, "sync", path_);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() const override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return Error(errno, "stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

  absl::StatusOr<base::UniqueFd> Descriptor() const override {
    base::UniqueFd copy(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) return Error(errno, "open", path_);
    return copy;
  }

 private:
  std::string path_;
  base::UniqueFd fd_;
  uint64_t size_;
  uint64_t handed_over_ = size_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(base::UniqueFd fd) : fd_(std::move(fd)) {}

 private:
  base::UniqueFd fd_;
};

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kAppend:
      return O_RDWR | O_APPEND;
    case OpenMode::kCreate:
      return O_RDWR | O_APPEND | O_CREAT | O_TRUNC;
    case OpenMode::kCreateNew:
      return O_RDWR | O_APPEND | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

class PosixFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                             OpenMode mode) override {
    ASSIGN_OR_RETURN(base::UniqueFd fd, OpenDescriptor(path, FlagsOf(mode)));
    struct stat info;
    if (::fstat(fd.get(), &info) != 0) return Error(errno, "stat", path);
    return std::make_unique<PosixFile>(path, std::move(fd),
                                       static_cast<uint64_t>(info.st_size));
  }

  absl::StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return Error(errno, "stat", path);
    return FileInfo{static_cast<uint64_t>(info.st_size),
                    absl::TimeFromTimespec(info.st_mtim),
                    S_ISDIR(info.st_mode)};
  }

  absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return Error(errno, "list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error = errno;
    ::closedir(directory);
    if (error != 0) return Error(error, "list", path);
    return names;
  }

  absl::Status MakeDirectory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) == 0) return absl::OkStatus();
    const int error = errno;
    struct stat info;
    if (error == EEXIST && ::stat(path.c_str(), &info) == 0 &&
        S_ISDIR(info.st_mode)) {
      return absl::OkStatus();
    }
    return Error(error, "make directory", path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return Error(errno, "rename", from);
  }

  absl::Status Unlink(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return absl::OkStatus();
    return Error(errno, "remove", path);
  }

  absl::Status SyncDirectory(const std::string& path,
                             std::string_view) override {
    ASSIGN_OR_RETURN(const base::UniqueFd fd,
                     OpenDescriptor(path, O_RDONLY | O_DIRECTORY));
    if (::fsync(fd.get()) == 0) return absl::OkStatus();
    return Error(errno, "sync directory", path);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path) override {
    ASSIGN_OR_RETURN(base::UniqueFd fd, OpenDescriptor(path, O_RDWR | O_CREAT));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return Error(errno, "lock", path);
      return absl::FailedPreconditionError(
          base::StrCat("lock '", path, "': another process holds it"));
    }
    return std::make_unique<PosixLock>(std::move(fd));
  }
};

}  // namespace

std::unique_ptr<FileSystem> MakePosixFileSystem() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace brume::store
