#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace brume::store::image {

class Sha256;

// A stream of bytes that is read once, front to back. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Reads up to `size` > 0 bytes; 0 means the end.
  virtual absl::StatusOr<size_t> Read(char* data, size_t size) = 0;
};

// Reads a descriptor: `size` bytes of a regular file from `offset` on, by
// position, so that several readers may share one file.
std::unique_ptr<ByteSource> FileSource(base::UniqueFd fd, uint64_t offset,
                                       uint64_t size);
// Reads a pipe (or a file from where it stands) to its end.
std::unique_ptr<ByteSource> PipeSource(base::UniqueFd fd);
std::unique_ptr<ByteSource> StringSource(std::string bytes);
// Hands bytes on unchanged and hashes them; `hash` outlives the source.
std::unique_ptr<ByteSource> HashingSource(std::unique_ptr<ByteSource> inner,
                                          Sha256* hash);

// Undoes gzip (RFC 1952, several members too) or zstd (RFC 8878), told by the
// first bytes rather than by a media type, which is often wrong; other bytes
// pass unchanged.
absl::StatusOr<std::unique_ptr<ByteSource>> Decompress(
    std::unique_ptr<ByteSource> inner);

// Reads to the end. RESOURCE_EXHAUSTED beyond `limit` bytes.
absl::StatusOr<std::string> ReadAll(ByteSource& source, size_t limit);
// Reads to the end and drops what is read.
absl::Status Drain(ByteSource& source);

}  // namespace brume::store::image
