#include "api/json/json.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = brume::api::ParseJson(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (!value.ok()) return 0;
  // What is printed is read back, and printed the same.
  const std::string once = brume::api::PrintJson(*value, false);
  const auto again = brume::api::ParseJson(once);
  if (!again.ok() || brume::api::PrintJson(*again, false) != once) std::abort();
  if (!brume::api::ParseJson(brume::api::PrintJson(*value, true)).ok()) {
    std::abort();
  }
  return 0;
}
