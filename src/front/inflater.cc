#include "front/inflater.h"

#include <string>

namespace brume::front {

namespace {
constexpr size_t kPiece = 64 * 1024;
// Window of 32 KiB; gzip framing (zlib.h, inflateInit2).
constexpr int kGzip = 15 + 16;
}  // namespace

Inflater::Inflater() { ok_ = inflateInit2(&zlib_, kGzip) == Z_OK; }

Inflater::~Inflater() { inflateEnd(&zlib_); }

bool Inflater::Feed(std::string_view bytes,
                    const std::function<bool(std::string_view)>& sink) {
  if (!ok_) return false;
  zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zlib_.avail_in = static_cast<uInt>(bytes.size());
  std::string out(kPiece, '\0');
  bool full = false;
  // A full buffer may leave more behind, though no input is left.
  while (zlib_.avail_in > 0 || full) {
    if (ended_ && zlib_.avail_in > 0) {
      if (inflateReset(&zlib_) != Z_OK) return false;
      ended_ = false;
    }
    zlib_.next_out = reinterpret_cast<Bytef*>(out.data());
    zlib_.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&zlib_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return false;
    }
    const size_t made = out.size() - zlib_.avail_out;
    full = zlib_.avail_out == 0;
    if (code == Z_STREAM_END) {
      ended_ = true;
      full = false;
    }
    if (made > 0 && !sink(std::string_view(out.data(), made))) return true;
    if (made == 0 && code == Z_BUF_ERROR) break;
  }
  return true;
}

}  // namespace brume::front
