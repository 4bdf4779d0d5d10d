#pragma once

#include "front/connection.h"
#include "front/http_head.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace brume::front {

// The way to foreign hosts: straight, or through the proxy that the
// environment named when Brume started. Straight never leads to this machine's
// own loopback or link-local addresses, whatever a name resolves to: a job must
// not reach the host's services that way. Thread-safe.
class Upstream {
 public:
  struct Options {
    // "host:port", "user:password@host:port", with or without "http://"; empty:
    // none.
    std::string proxy;
    // For tests, whose foreign hosts are on loopback.
    bool allow_loopback = false;
  };
  explicit Upstream(Options options);

  // A connection to the host, through the proxy's CONNECT if there is one. The
  // reason, when it cannot be made in 30 seconds. Ends early with `client`.
  boost::asio::awaitable<absl::StatusOr<boost::asio::ip::tcp::socket>> Connect(
      Connection* client, std::string host, uint16_t port) const;

  // A connection for one plain-HTTP request: to the host, or to the proxy,
  // which wants absolute-form.
  boost::asio::awaitable<absl::StatusOr<boost::asio::ip::tcp::socket>>
  ConnectForHttp(Connection* client, std::string host, uint16_t port) const;

  bool has_proxy() const { return !proxy_host_.empty(); }
  // "Proxy-Authorization: ...\r\n", or empty.
  const std::string& proxy_field() const { return proxy_field_; }

 private:
  const bool allow_loopback_;
  std::string proxy_host_;
  std::string proxy_port_;
  std::string proxy_field_;
};

// What the client is told when a connection could not be made: 403 where the
// proxy does not lead, else 502.
Refusal ToRefusal(const absl::Status& status);

}  // namespace brume::front
