#include "api/storage/content_range.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// Any text is refused or gives a range that holds together.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto range = brume::api::storage::ParseContentRange(text);
  if (range) {
    if (range->last && (!range->first || *range->last < *range->first)) abort();
    if (range->last && range->total && *range->last >= *range->total) abort();
  }
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{1000}}) {
    brume::api::storage::ByteRange part;
    if (brume::api::storage::ParseRange(text, length, part) !=
        brume::api::storage::RangeKind::kPart) {
      continue;
    }
    if (part.length == 0 || part.offset + part.length > length) abort();
  }
  return 0;
}
