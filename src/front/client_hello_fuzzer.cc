#include "front/client_hello.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// A connection's first bytes. They may arrive in any pieces: no beginning of a
// good hello is malformed, and none is read differently from the whole.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using brume::front::HelloState;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = brume::front::ParseClientHello(bytes);
  whole.hello.WantsGrpc();
  if (whole.state != HelloState::kComplete) return 0;
  for (size_t cut : {size_t{1}, size_t{5}, size_t{6}, size / 3, size / 2}) {
    const auto part = brume::front::ParseClientHello(bytes.substr(0, cut));
    if (part.state == HelloState::kMalformed) abort();
    if (part.state == HelloState::kComplete &&
        (part.hello.server_name != whole.hello.server_name ||
         part.hello.protocols != whole.hello.protocols)) {
      abort();
    }
  }
  return 0;
}
