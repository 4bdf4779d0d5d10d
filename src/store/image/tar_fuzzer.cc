#include "store/image/tar_reader.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

// Whatever the bytes: headers never yield more data than they tell, positions
// only grow, and names hold no NUL. Compressed archives are read as they are in
// an image, up to a limit.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace brume::store::image;
  constexpr uint64_t kLimit = 1024 * 1024;
  auto plain = Decompress(
      StringSource(std::string(reinterpret_cast<const char*>(data), size)));
  if (!plain.ok()) return 0;
  TarReader tar(*std::move(plain));
  std::string buffer(8192, '\0');
  uint64_t last = 0;
  while (tar.offset() < kLimit) {
    const auto entry = tar.Next();
    if (!entry.ok() || !entry->has_value()) break;
    if (tar.offset() <= last) std::abort();
    last = tar.offset();
    if ((*entry)->path.find('\0') != std::string::npos) std::abort();
    if ((*entry)->link.find('\0') != std::string::npos) std::abort();
    uint64_t read = 0;
    while (read < kLimit) {
      const auto got = tar.ReadData(buffer.data(), buffer.size());
      if (!got.ok()) return 0;
      if (*got == 0) break;
      read += *got;
    }
    if (read > (*entry)->size) std::abort();
    if (read < (*entry)->size && read < kLimit) std::abort();
  }
  return 0;
}
