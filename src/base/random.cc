#include "base/random.h"

#include "base/encoding.h"

#include <absl/strings/str_cat.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace brume::base {

std::string RandomBytes(size_t count) {
  std::string out(count, '\0');
  size_t done = 0;
  while (done < count) {
    const ssize_t got = getrandom(out.data() + done, count - done, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();
    }
    done += static_cast<size_t>(got);
  }
  return out;
}

std::string RandomDigits(size_t count) {
  std::string out;
  while (out.size() < count) {
    for (unsigned char byte : RandomBytes(count)) {
      // 250 is the largest multiple of ten in a byte: no digit is favoured.
      if (byte >= 250 || out.size() == count) continue;
      const char digit = static_cast<char>('0' + byte % 10);
      if (out.empty() && digit == '0') continue;
      out.push_back(digit);
    }
  }
  return out;
}

std::string RandomHex(size_t count) {
  std::string out = HexEncode(RandomBytes((count + 1) / 2));
  out.resize(count);
  return out;
}

std::string RandomUuid() {
  std::string bytes = RandomBytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  const std::string hex = HexEncode(bytes);
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-",
                      hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20));
}

}  // namespace brume::base
