#include "api/storage/gunzip_source.h"

#include "base/errno_status.h"
#include "base/str_cat.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace brume::api::storage {
namespace {

constexpr size_t kPiece = 128 << 10;

class GunzipSource final : public BodySource {
 public:
  explicit GunzipSource(services::storage::OpenedObject opened)
      : opened_(std::move(opened)), input_(kPiece, '\0') {
    // 15 bits of window, and gzip's header.
    ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
  }
  ~GunzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

  absl::StatusOr<std::string> Read() override {
    if (!ready_) return absl::InternalError("unpack object: no memory");
    std::string out(kPiece, '\0');
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    while (stream_.avail_out == out.size() && !ended_) {
      if (stream_.avail_in == 0) {
        const absl::StatusOr<size_t> got = Fill();
        if (!got.ok()) return got.status();
        if (*got == 0) return Broken("it ends early");
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        // Another member may follow (RFC 1952, 2.2).
        const absl::StatusOr<size_t> got =
            stream_.avail_in > 0 ? size_t{stream_.avail_in} : Fill();
        if (!got.ok()) return got.status();
        if (*got == 0) {
          ended_ = true;
        } else if (inflateReset(&stream_) != Z_OK) {
          return Broken("it does not go on");
        }
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return Broken("its bytes are no gzip");
      }
    }
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

 private:
  absl::Status Broken(std::string_view why) const {
    return absl::DataLossError(base::ToAbsl(
        base::StrCat("unpack object '", opened_.object.name(), "': ", why)));
  }

  absl::StatusOr<size_t> Fill() {
    size_t got = 0;
    if (!opened_.file) {
      got = std::min(input_.size(), opened_.bytes.size() - offset_);
      opened_.bytes.copy(input_.data(), got, offset_);
    } else {
      ssize_t count = 0;
      do {
        count = ::pread(opened_.file->fd.get(), input_.data(), input_.size(),
                        static_cast<off_t>(offset_));
      } while (count < 0 && errno == EINTR);
      if (count < 0) return base::ErrnoToStatus(errno, "read object");
      got = static_cast<size_t>(count);
    }
    offset_ += got;
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(got);
    return got;
  }

  services::storage::OpenedObject opened_;
  std::string input_;
  size_t offset_ = 0;
  z_stream stream_ = {};
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<BodySource> GunzipObject(
    services::storage::OpenedObject opened) {
  return std::make_unique<GunzipSource>(std::move(opened));
}

}  // namespace brume::api::storage
