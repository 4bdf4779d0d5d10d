#include "front/connect_request.h"
#include "front/served_hosts.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The head of a CONNECT, and what first bytes are.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using brume::front::FirstBytes;
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  const FirstBytes kind = brume::front::Sniff(head);
  // More bytes may decide, never change their mind.
  for (size_t cut = 0; cut < size && cut < 20; ++cut) {
    const FirstBytes early = brume::front::Sniff(head.substr(0, cut));
    if (early != FirstBytes::kNeedMore && early != kind) abort();
  }
  const auto request = brume::front::ParseConnect(head);
  if (!request) return 0;
  if (kind != FirstBytes::kConnect) abort();
  if (request->port == 0) abort();
  if (request->host.find_first_of(std::string_view("\r\n\t @/\0", 7)) !=
      std::string::npos) {
    abort();
  }
  brume::front::IsServedHost(request->host);
  brume::front::IsLoopbackHost(request->host);
  return 0;
}
