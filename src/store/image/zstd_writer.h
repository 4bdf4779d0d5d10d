#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>

#include <memory>
#include <string>
#include <string_view>

namespace brume::store::image {

// Compresses into a file (RFC 8878, level 1: as fast as a disk writes). Not
// thread-safe.
class ZstdWriter {
 public:
  explicit ZstdWriter(base::UniqueFd file);
  ~ZstdWriter();

  absl::Status Append(std::string_view bytes);
  // Ends the frame and syncs the file.
  absl::Status Finish();

 private:
  struct Context;
  absl::Status Flush(size_t size);

  base::UniqueFd file_;
  std::unique_ptr<Context> context_;
  std::string buffer_;
};

}  // namespace brume::store::image
