#pragma once

#include "base/unique_fd.h"
#include "store/image/byte_source.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>

namespace brume::store::image {

// The files of an image archive, by their names inside. Thread-compatible.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual bool Has(std::string_view name) const = 0;
  // NOT_FOUND "read archive: '<name>' is missing".
  virtual absl::StatusOr<std::unique_ptr<ByteSource>> Open(
      std::string_view name) const = 0;
};

// Opens a folder, or a tar (plain, gzip, zstd). A file that is compressed or
// cannot be read at random (a pipe) is first unpacked into an unnamed file in
// `scratch`.
absl::StatusOr<std::unique_ptr<Archive>> OpenArchive(
    base::UniqueFd fd, const std::string& scratch);

}  // namespace brume::store::image
