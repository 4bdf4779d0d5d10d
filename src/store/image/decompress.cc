#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/byte_source.h"

#include <zlib.h>
#include <zstd.h>

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

// Decompress() of byte_source.h.
namespace brume::store::image {
namespace {

constexpr size_t kBuffer = 128 * 1024;

// Gives back the bytes that were looked at, then the rest of `inner`.
class Peeked final : public ByteSource {
 public:
  Peeked(std::string head, std::unique_ptr<ByteSource> inner)
      : head_(std::move(head)), inner_(std::move(inner)) {}

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    if (at_ == head_.size()) return inner_->Read(data, size);
    size = std::min(size, head_.size() - at_);
    std::memcpy(data, head_.data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  std::string head_;
  size_t at_ = 0;
  std::unique_ptr<ByteSource> inner_;
};

class Gzip final : public ByteSource {
 public:
  explicit Gzip(std::unique_ptr<ByteSource> inner)
      : inner_(std::move(inner)), buffer_(kBuffer) {
    // 15 bits of window, + 16: gzip only.
    inflateInit2(&stream_, 15 + 16);
  }
  ~Gzip() override { inflateEnd(&stream_); }

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(data);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size) {
      RETURN_IF_ERROR(Fill());
      if (stream_.avail_in == 0) {
        if (member_done_) return 0;
        return absl::DataLossError("inflate gzip: the stream is cut short");
      }
      if (member_done_) {
        // A further member; anything else after the last is padding.
        if (*stream_.next_in != 0x1f) return 0;
        inflateReset(&stream_);
        member_done_ = false;
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        member_done_ = true;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return absl::DataLossError(base::StrCat(
            "inflate gzip: ",
            stream_.msg != nullptr ? stream_.msg : "the data are damaged"));
      }
    }
    return size - stream_.avail_out;
  }

 private:
  absl::Status Fill() {
    if (stream_.avail_in > 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(const size_t got,
                     inner_->Read(buffer_.data(), buffer_.size()));
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = static_cast<uInt>(got);
    return absl::OkStatus();
  }

  std::unique_ptr<ByteSource> inner_;
  std::vector<char> buffer_;
  z_stream stream_ = {};
  bool member_done_ = false;
};

class Zstd final : public ByteSource {
 public:
  explicit Zstd(std::unique_ptr<ByteSource> inner)
      : inner_(std::move(inner)),
        buffer_(kBuffer),
        stream_(ZSTD_createDStream()) {
    // Encoders may ask for up to 2 GiB of window; 128 MiB is what the
    // command-line tool accepts without being told.
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    ZSTD_outBuffer out = {data, size, 0};
    while (out.pos == 0) {
      if (input_.pos == input_.size) {
        ASSIGN_OR_RETURN(const size_t got,
                         inner_->Read(buffer_.data(), buffer_.size()));
        input_ = {buffer_.data(), got, 0};
        if (got == 0 && pending_ == 0) return 0;
      }
      const bool at_end = input_.size == 0;
      const size_t result = ZSTD_decompressStream(stream_, &out, &input_);
      if (ZSTD_isError(result)) {
        return absl::DataLossError(
            base::StrCat("decompress zstd: ", ZSTD_getErrorName(result)));
      }
      pending_ = result;
      // With no input left it may still hold output; if not, bytes are missing.
      if (at_end && out.pos == 0 && pending_ != 0) {
        return absl::DataLossError("decompress zstd: the stream is cut short");
      }
    }
    return out.pos;
  }

 private:
  std::unique_ptr<ByteSource> inner_;
  std::vector<char> buffer_;
  ZSTD_DStream* stream_;
  ZSTD_inBuffer input_ = {};
  size_t pending_ = 0;  // bytes the frame still needs; 0 between frames
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> Decompress(
    std::unique_ptr<ByteSource> inner) {
  std::string head(4, '\0');
  size_t have = 0;
  while (have < head.size()) {
    ASSIGN_OR_RETURN(const size_t got,
                     inner->Read(head.data() + have, head.size() - have));
    if (got == 0) break;
    have += got;
  }
  head.resize(have);
  const bool gzip = head.starts_with("\x1f\x8b");
  const bool zstd = head == "\x28\xb5\x2f\xfd";
  std::unique_ptr<ByteSource> whole =
      std::make_unique<Peeked>(std::move(head), std::move(inner));
  if (gzip) return std::make_unique<Gzip>(std::move(whole));
  if (zstd) return std::make_unique<Zstd>(std::move(whole));
  return whole;
}

}  // namespace brume::store::image
