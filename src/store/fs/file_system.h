#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The few file operations that both stores stand on, RocksDB's files included,
// so that a test can replace the disk under both at once (CrashFileSystem) and
// see what a power cut leaves.
//
// What is durable: bytes of a file after File::Sync; that a file exists under a
// name, or no longer does, after SyncDirectory of the folder. Neither implies
// the other.
//
// Syncs carry a label, "blob.data". It names the promise the sync keeps; tests
// take the sync of one label away and see the promise broken.
//
// Errors: NOT_FOUND for a missing path, RESOURCE_EXHAUSTED for a full disk,
// PERMISSION_DENIED; else INTERNAL. Messages are "<action> '<path>': <cause>".
namespace brume::store {

// An open file. Reads and Sync may run beside one Append; else not thread-safe.
class File {
 public:
  virtual ~File() = default;
  // Reads up to `count` bytes; fewer only at the end of the file.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset, size_t count,
                                        char* out) const = 0;
  // Writes at the end. On an error some of the bytes may be there.
  virtual absl::Status Append(std::string_view bytes) = 0;
  virtual absl::Status Truncate(uint64_t size) = 0;
  virtual absl::Status Sync(std::string_view label) = 0;
  virtual absl::StatusOr<uint64_t> Size() const = 0;
  // A descriptor of one's own on the same file, for sendfile.
  virtual absl::StatusOr<base::UniqueFd> Descriptor() const = 0;
};

// Held until destroyed, or until the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kRead,       // existing
  kAppend,     // existing; reads and writes
  kCreate,     // created or emptied
  kCreateNew,  // ALREADY_EXISTS if it does
};

struct FileInfo {
  uint64_t size = 0;
  absl::Time modified;
  bool is_directory = false;
};

// Thread-safe. Files are made 0600 and directories 0700: the data is its
// owner's alone.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                                     OpenMode mode) = 0;
  virtual absl::StatusOr<FileInfo> Stat(const std::string& path) = 0;
  // Names in a directory, in no order.
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) = 0;
  // OK if it is there already. The parent must exist.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  // Within one directory; replaces `to`.
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;
  // A file.
  virtual absl::Status Unlink(const std::string& path) = 0;
  virtual absl::Status SyncDirectory(const std::string& path,
                                     std::string_view label) = 0;
  // Creates `path` if needed and locks it against other processes, and other
  // holders in this one; FAILED_PRECONDITION when it is held.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path) = 0;
};

// The directory part of a path with a slash in it.
std::string DirectoryOf(std::string_view path);

}  // namespace brume::store
