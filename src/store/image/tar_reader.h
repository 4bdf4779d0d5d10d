#pragma once

#include "store/image/byte_source.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace brume::store::image {

struct TarEntry {
  enum class Type {
    kFile,
    kDirectory,
    kSymlink,
    kHardLink,
    kCharDevice,
    kBlockDevice,
    kFifo,
  };
  Type type = Type::kFile;
  std::string path;  // as the archive says: may be absolute, may hold ".."
  std::string link;  // target of a symbolic or hard link
  uint32_t mode = 0;
  uint64_t uid = 0;
  uint64_t gid = 0;
  uint64_t size = 0;  // bytes of data that follow (regular files)
  int64_t mtime = 0;  // seconds since 1970
  std::map<std::string, std::string> xattrs;  // pax SCHILY.xattr.*
};

// Reads a tar archive as a stream: ustar and old v7, GNU long names and links
// and base-256 numbers, pax headers (POSIX.1-2001). Memory does not depend on
// what the archive claims. Sparse files and archives of several volumes are
// refused. Errors are INVALID_ARGUMENT "read tar at byte <N>: <cause>". Not
// thread-safe.
class TarReader {
 public:
  explicit TarReader(std::unique_ptr<ByteSource> source)
      : source_(std::move(source)) {}

  // The next entry; data of the one before that was not read is skipped.
  // nullopt at the end of the archive.
  absl::StatusOr<std::optional<TarEntry>> Next();
  // Data of the current entry; 0 at its end.
  absl::StatusOr<size_t> ReadData(char* data, size_t size);
  // Bytes of the archive read so far: before ReadData, where the current
  // entry's data begin.
  uint64_t offset() const { return offset_; }
  // Reads what follows the end marks, so that a digest sees all bytes.
  absl::Status DrainTrailer() { return Drain(*source_); }

 private:
  struct Extended;  // what pax and GNU headers said of the next entry

  absl::Status Bad(std::string_view cause) const;
  // Fills `data`; false at a clean end of the stream before the first byte.
  absl::StatusOr<bool> ReadBlock(char* data);
  absl::StatusOr<std::string> ReadSmall(uint64_t size);
  absl::Status SkipData();
  absl::Status ReadExtension(char type, uint64_t size, Extended& extended);
  absl::Status ParsePax(std::string_view records, Extended& extended);
  absl::Status SetPax(std::string_view key, std::string_view value,
                      Extended& extended);
  absl::StatusOr<TarEntry> Build(std::string_view block, Extended extended);
  absl::StatusOr<uint64_t> Number(std::string_view field) const;

  std::unique_ptr<ByteSource> source_;
  uint64_t offset_ = 0;
  uint64_t data_left_ = 0;
  uint64_t padding_left_ = 0;
};

}  // namespace brume::store::image
