#include "api/storage/batch.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The first line is a Content-Type, the rest a body. Every call that is found
// has a method and a path.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto parts = brume::api::storage::ParseBatch(text.substr(0, line),
                                                     text.substr(line + 1));
  if (!parts.ok()) return 0;
  if (parts->empty()) abort();
  for (const auto& part : *parts) {
    if (part.head.method.empty() || part.head.target.front() != '/') abort();
  }
  return 0;
}
