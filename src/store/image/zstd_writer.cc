#include "store/image/zstd_writer.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <utility>

namespace brume::store::image {

struct ZstdWriter::Context {
  ZSTD_CCtx* stream = ZSTD_createCCtx();
};

ZstdWriter::ZstdWriter(base::UniqueFd file)
    : file_(std::move(file)),
      context_(std::make_unique<Context>()),
      buffer_(ZSTD_CStreamOutSize(), '\0') {
  ZSTD_CCtx_setParameter(context_->stream, ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context_->stream, ZSTD_c_checksumFlag, 1);
}

ZstdWriter::~ZstdWriter() { ZSTD_freeCCtx(context_->stream); }

absl::Status ZstdWriter::Flush(size_t size) {
  std::string_view left(buffer_.data(), size);
  while (!left.empty()) {
    const ssize_t put = write(file_.get(), left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return base::ErrnoToStatus(errno, "write compressed layer");
    left.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::Status ZstdWriter::Append(std::string_view bytes) {
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer out = {buffer_.data(), buffer_.size(), 0};
    const size_t result =
        ZSTD_compressStream2(context_->stream, &out, &in, ZSTD_e_continue);
    if (ZSTD_isError(result)) {
      return absl::InternalError(
          base::StrCat("compress layer: ", ZSTD_getErrorName(result)));
    }
    RETURN_IF_ERROR(Flush(out.pos));
  }
  return absl::OkStatus();
}

absl::Status ZstdWriter::Finish() {
  size_t left = 0;
  do {
    ZSTD_inBuffer in = {nullptr, 0, 0};
    ZSTD_outBuffer out = {buffer_.data(), buffer_.size(), 0};
    left = ZSTD_compressStream2(context_->stream, &out, &in, ZSTD_e_end);
    if (ZSTD_isError(left)) {
      return absl::InternalError(
          base::StrCat("compress layer: ", ZSTD_getErrorName(left)));
    }
    RETURN_IF_ERROR(Flush(out.pos));
  } while (left > 0);
  if (fsync(file_.get()) != 0) {
    return base::ErrnoToStatus(errno, "sync compressed layer");
  }
  return absl::OkStatus();
}

}  // namespace brume::store::image
