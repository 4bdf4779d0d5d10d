#include "front/client_hello.h"

#include "base/str_cat.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <cstdint>

namespace brume::front {
namespace {

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHello = 1;
constexpr uint16_t kServerName = 0;
constexpr uint16_t kAlpn = 16;

// Takes big-endian numbers and vectors off the front; remembers failure.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  uint32_t Number(size_t width) {
    const std::string_view bytes = Take(width);
    uint32_t value = 0;
    for (unsigned char c : bytes) value = value << 8 | c;
    return value;
  }
  std::string_view Take(size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }
  // A vector with a length prefix of `width` bytes.
  std::string_view Vector(size_t width) { return Take(Number(width)); }
  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

bool ReadExtensions(std::string_view bytes, ClientHello* hello) {
  Reader extensions(bytes);
  while (extensions.ok() && !extensions.empty()) {
    const uint32_t type = extensions.Number(2);
    Reader body(extensions.Vector(2));
    if (!extensions.ok()) return false;
    if (type == kServerName) {
      Reader names(body.Vector(2));
      while (names.ok() && !names.empty()) {
        const uint32_t name_type = names.Number(1);
        const std::string_view name = names.Vector(2);
        if (name_type == 0 && names.ok()) {
          hello->server_name = absl::AsciiStrToLower(base::ToAbsl(name));
        }
      }
      if (!names.ok() || !body.ok()) return false;
    } else if (type == kAlpn) {
      Reader list(body.Vector(2));
      while (list.ok() && !list.empty()) {
        const std::string_view protocol = list.Vector(1);
        if (list.ok()) hello->protocols.emplace_back(protocol);
      }
      if (!list.ok() || !body.ok()) return false;
    }
  }
  return extensions.ok();
}

}  // namespace

bool ClientHello::WantsGrpc() const {
  const auto offers = [this](std::string_view name) {
    return std::find(protocols.begin(), protocols.end(), name) !=
           protocols.end();
  };
  return offers("h2") && !offers("http/1.1");
}

HelloResult ParseClientHello(std::string_view bytes) {
  // Join the records' payloads until the handshake message is whole.
  std::string message;
  size_t position = 0;
  for (;;) {
    if (message.size() >= 4) {
      Reader header(message);
      if (header.Number(1) != kClientHello) return {HelloState::kMalformed, {}};
      const size_t length = header.Number(3);
      if (length > kMaxClientHello) return {HelloState::kMalformed, {}};
      if (message.size() >= length + 4) {
        message.resize(length + 4);
        break;
      }
    }
    if (bytes.size() - position < 5) {
      const bool starts_well =
          position == bytes.size() ||
          static_cast<uint8_t>(bytes[position]) == kHandshakeRecord;
      return {starts_well && bytes.size() <= kMaxClientHello
                  ? HelloState::kNeedMore
                  : HelloState::kMalformed,
              {}};
    }
    Reader record(bytes.substr(position, 5));
    const uint32_t type = record.Number(1);
    const uint32_t version = record.Number(2);
    const size_t length = record.Number(2);
    if (type != kHandshakeRecord || version >> 8 != 3 || length == 0 ||
        length > 16 * 1024) {
      return {HelloState::kMalformed, {}};
    }
    const std::string_view payload = bytes.substr(position + 5, length);
    message.append(payload);
    if (payload.size() < length) {
      // Not all of this record is here; a short message may be already.
      if (message.size() < 4) return {HelloState::kNeedMore, {}};
      Reader header(message);
      if (header.Number(1) != kClientHello) return {HelloState::kMalformed, {}};
      return {bytes.size() <= kMaxClientHello ? HelloState::kNeedMore
                                              : HelloState::kMalformed,
              {}};
    }
    position += 5 + length;
  }

  HelloResult result{HelloState::kMalformed, {}};
  Reader body(std::string_view(message).substr(4));
  body.Take(2 + 32);  // legacy_version, random
  body.Vector(1);     // legacy_session_id
  body.Vector(2);     // cipher_suites
  body.Vector(1);     // legacy_compression_methods
  if (!body.ok()) return result;
  if (!body.empty()) {
    const std::string_view extensions = body.Vector(2);
    if (!body.ok() || !ReadExtensions(extensions, &result.hello)) {
      return {HelloState::kMalformed, {}};
    }
  }
  result.state = HelloState::kComplete;
  return result;
}

}  // namespace brume::front
