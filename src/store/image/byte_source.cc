#include "store/image/byte_source.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/digest.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

class File final : public ByteSource {
 public:
  File(base::UniqueFd fd, uint64_t offset, uint64_t size)
      : fd_(std::move(fd)), offset_(offset), left_(size) {}

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    size = std::min<uint64_t>(size, left_);
    if (size == 0) return 0;
    while (true) {
      const ssize_t got =
          pread(fd_.get(), data, size, static_cast<off_t>(offset_));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return base::ErrnoToStatus(errno, "read archive");
      if (got == 0) return absl::DataLossError("read archive: it is cut short");
      offset_ += static_cast<uint64_t>(got);
      left_ -= static_cast<uint64_t>(got);
      return static_cast<size_t>(got);
    }
  }

 private:
  base::UniqueFd fd_;
  uint64_t offset_;
  uint64_t left_;
};

class Pipe final : public ByteSource {
 public:
  explicit Pipe(base::UniqueFd fd) : fd_(std::move(fd)) {}

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    while (true) {
      const ssize_t got = read(fd_.get(), data, size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return base::ErrnoToStatus(errno, "read stream");
      return static_cast<size_t>(got);
    }
  }

 private:
  base::UniqueFd fd_;
};

class Memory final : public ByteSource {
 public:
  explicit Memory(std::string bytes) : bytes_(std::move(bytes)) {}

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    size = std::min(size, bytes_.size() - at_);
    std::memcpy(data, bytes_.data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

class Hashing final : public ByteSource {
 public:
  Hashing(std::unique_ptr<ByteSource> inner, Sha256* hash)
      : inner_(std::move(inner)), hash_(hash) {}

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    ASSIGN_OR_RETURN(const size_t got, inner_->Read(data, size));
    hash_->Update(std::string_view(data, got));
    return got;
  }

 private:
  std::unique_ptr<ByteSource> inner_;
  Sha256* hash_;
};

}  // namespace

std::unique_ptr<ByteSource> FileSource(base::UniqueFd fd, uint64_t offset,
                                       uint64_t size) {
  return std::make_unique<File>(std::move(fd), offset, size);
}

std::unique_ptr<ByteSource> PipeSource(base::UniqueFd fd) {
  return std::make_unique<Pipe>(std::move(fd));
}

std::unique_ptr<ByteSource> StringSource(std::string bytes) {
  return std::make_unique<Memory>(std::move(bytes));
}

std::unique_ptr<ByteSource> HashingSource(std::unique_ptr<ByteSource> inner,
                                          Sha256* hash) {
  return std::make_unique<Hashing>(std::move(inner), hash);
}

absl::StatusOr<std::string> ReadAll(ByteSource& source, size_t limit) {
  std::string out;
  std::vector<char> buffer(64 * 1024);
  while (true) {
    ASSIGN_OR_RETURN(const size_t got,
                     source.Read(buffer.data(), buffer.size()));
    if (got == 0) return out;
    if (out.size() + got > limit) {
      return absl::ResourceExhaustedError(
          base::StrCat("read document: it is larger than ", limit, " bytes"));
    }
    out.append(buffer.data(), got);
  }
}

absl::Status Drain(ByteSource& source) {
  std::vector<char> buffer(64 * 1024);
  while (true) {
    ASSIGN_OR_RETURN(const size_t got,
                     source.Read(buffer.data(), buffer.size()));
    if (got == 0) return absl::OkStatus();
  }
}

}  // namespace brume::store::image
