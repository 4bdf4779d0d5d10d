#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace brume::store::image {

// A directory as if it were "/": no path leaves it, whatever ".." and symbolic
// links say (openat2 with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, Linux
// 5.6). For trees that others made: image layers and containers' roots.
// Not thread-safe with others who rename inside it.
class RootedDir {
 public:
  static absl::StatusOr<RootedDir> Open(const std::string& path);

  // Opens a file below; `flags` as of open(2), O_CLOEXEC is added. errno is
  // translated with "open '<path>' in the image".
  absl::StatusOr<base::UniqueFd> OpenFile(std::string_view path, int flags,
                                          uint32_t mode = 0) const;
  // The directory that holds the last component of `path`, and that component;
  // missing directories are made (0755) when `create` is set. Neither "" nor
  // "." nor ".." as last component: INVALID_ARGUMENT.
  struct Parent {
    base::UniqueFd dir;
    std::string name;
  };
  absl::StatusOr<Parent> OpenParent(std::string_view path, bool create) const;
  // mkdir -p, following links inside the root.
  absl::Status MakeDirectories(std::string_view path, uint32_t mode) const;
  // The whole file; RESOURCE_EXHAUSTED beyond `limit` bytes. Only regular
  // files: a FIFO or device of an image is never opened.
  absl::StatusOr<std::string> ReadFile(std::string_view path,
                                       size_t limit) const;
  int fd() const { return fd_.get(); }

 private:
  explicit RootedDir(base::UniqueFd fd) : fd_(std::move(fd)) {}

  base::UniqueFd fd_;
};

// Removes `name` in directory `dir` and all that is below it, following no
// link and never leaving the file system of `dir`. OK when it does not exist.
absl::Status RemoveTree(int dir, const std::string& name);

}  // namespace brume::store::image
