#include "base/encoding.h"
#include "services/signing/jwt.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// A token that parses must be made of the text it was read from, and be seen as
// a JWT or not without regard to what is in it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace brume;
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  const auto jwt = services::signing::ParseJwt(token);
  if (jwt.ok()) {
    const std::string again =
        jwt->signed_part + "." + base::Base64UrlEncode(jwt->signature);
    // The last character of base64 may have unused bits, so only its length is
    // certain.
    if (again.size() != token.size()) std::abort();
    if (!token.starts_with(jwt->signed_part)) std::abort();
  }
  (void)services::signing::LooksLikeJwt(token);
  return 0;
}
