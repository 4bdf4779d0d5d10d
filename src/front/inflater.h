#pragma once

#include <zlib.h>

#include <functional>
#include <string_view>

namespace brume::front {

// Undoes Content-Encoding: gzip of request bodies, piece by piece. A body may
// have several gzip members (RFC 1952, 2.2).
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Gives inflated pieces to `sink` until it returns false; false when the
  // bytes are not gzip.
  bool Feed(std::string_view bytes,
            const std::function<bool(std::string_view)>& sink);
  // The bytes so far are whole members.
  bool ended() const { return ended_; }

 private:
  z_stream zlib_{};
  bool ok_ = false;
  bool ended_ = true;
};

}  // namespace brume::front
