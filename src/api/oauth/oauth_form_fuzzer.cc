#include "api/oauth/request.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

// The first byte chooses a form or JSON; the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  brume::api::oauth::Request request;
  request.head.target = "/token";
  request.head.headers.Add(
      "Content-Type", data[0] == 'j' ? "application/json"
                                     : "application/x-www-form-urlencoded");
  const std::string_view body(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  const absl::Status read = brume::api::oauth::ReadFields(body, &request);
  if (!read.ok() && read.message().empty()) __builtin_trap();
  return 0;
}
