#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace brume::client {

// An http or https URL (RFC 3986), taken apart.
struct Url {
  bool tls = false;
  std::string user;          // of the authority, decoded
  std::string password;      // ditto
  std::string host;          // an IPv6 address without its brackets
  uint16_t port = 0;         // the scheme's when the URL names none
  std::string target = "/";  // path and query, as they were

  // "host" or "host:port", as the Host field says it.
  std::string Authority() const;
};

// INVALID_ARGUMENT for anything else.
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace brume::client
