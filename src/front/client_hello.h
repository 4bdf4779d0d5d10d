#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::front {

// What a TLS ClientHello says about where it wants to go (RFC 8446, 4.1.2).
struct ClientHello {
  std::string server_name;  // SNI host_name, lower case; may be empty
  std::vector<std::string> protocols;  // ALPN offers, in order (RFC 7301)

  // Offers h2 and not http/1.1: a gRPC client. Old ones send "grpc-exp,h2";
  // those that offer both are content with HTTP/1.1.
  bool WantsGrpc() const;
};

enum class HelloState { kNeedMore, kComplete, kMalformed };

struct HelloResult {
  HelloState state = HelloState::kNeedMore;
  ClientHello hello;
};

// Longest ClientHello that is read. Post-quantum key shares make hellos of
// about 1,500 bytes; 16 KiB is one record's limit.
inline constexpr size_t kMaxClientHello = 16 * 1024 + 5;

// Parses the bytes received so far, which begin with the record header. The
// handshake message may be spread over several records.
HelloResult ParseClientHello(std::string_view bytes);

}  // namespace brume::front
