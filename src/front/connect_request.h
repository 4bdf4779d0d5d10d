#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brume::front {

// A CONNECT request (RFC 9110, 9.3.6), of HTTP/1.1 or 1.0, with or without
// Host: only its target counts.
struct ConnectRequest {
  std::string host;  // canonical
  uint16_t port = 0;
  // Of Proxy-Authorization: Basic; empty when there is none.
  std::string user;
  std::string password;
};

struct ProxyCredentials {
  std::string user;
  std::string password;
};
// The value of Proxy-Authorization; nullopt when it is not Basic (RFC 7617).
std::optional<ProxyCredentials> ParseProxyAuthorization(std::string_view value);

enum class FirstBytes { kNeedMore, kTls, kConnect, kHttp2, kHttp1, kUnknown };

// What a connection's first bytes say it is.
FirstBytes Sniff(std::string_view bytes);

// Parses a whole head (ending in an empty line); nullopt when it is malformed.
std::optional<ConnectRequest> ParseConnect(std::string_view head);

}  // namespace brume::front
