#include "front/upstream.h"

#include "base/encoding.h"
#include "base/str_cat.h"
#include "front/served_hosts.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::seconds kConnectTime{30};
constexpr size_t kMaxProxyReply = 16 * 1024;

// Addresses that mean this machine, or its neighbours on the wire.
bool IsOwn(const asio::ip::address& address) {
  if (address.is_v6()) {
    const asio::ip::address_v6 v6 = address.to_v6();
    if (v6.is_v4_mapped()) {
      return IsOwn(asio::ip::make_address_v4(asio::ip::v4_mapped, v6));
    }
    return v6.is_loopback() || v6.is_unspecified() || v6.is_link_local();
  }
  const uint32_t v4 = address.to_v4().to_uint();
  return address.is_loopback() || v4 >> 24 == 0 || v4 >> 16 == 0xa9fe;
}

// What is being waited for, and the two ways it ends early.
class Attempt {
 public:
  explicit Attempt(Connection& client)
      : resolver(*client.lane().io),
        socket(*client.lane().io),
        limit_(*client.lane().deadlines, [this] { Cancel(); }),
        stop_(client, [this] { Cancel(); }) {
    limit_.Set(std::chrono::steady_clock::now() + kConnectTime);
  }
  bool cancelled() const { return cancelled_; }

  tcp::resolver resolver;
  tcp::socket socket;

 private:
  void Cancel() {
    cancelled_ = true;
    resolver.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  bool cancelled_ = false;
  runtime::Deadlines::Entry limit_;
  Connection::StopHook stop_;
};

absl::Status Unreachable(const std::string& host, std::string_view cause) {
  return absl::UnavailableError(
      base::StrCat("host '", host, "' cannot be reached: ", cause));
}

// Connects attempt.socket.
asio::awaitable<absl::Status> ConnectTcp(Attempt* attempt, std::string host,
                                         std::string service, bool refuse_own) {
  boost::system::error_code error;
  const tcp::resolver::results_type found =
      co_await attempt->resolver.async_resolve(
          host, service, asio::redirect_error(asio::use_awaitable, error));
  if (error || attempt->cancelled()) {
    co_return Unreachable(host, error ? error.message() : "timed out");
  }
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) {
    if (refuse_own && IsOwn(entry.endpoint().address())) continue;
    endpoints.push_back(entry.endpoint());
  }
  if (endpoints.empty()) {
    co_return absl::PermissionDeniedError(base::StrCat(
        "host '", host, "' is this machine: the proxy does not lead there"));
  }
  for (const tcp::endpoint& endpoint : endpoints) {
    boost::system::error_code ignored;
    attempt->socket.close(ignored);
    co_await attempt->socket.async_connect(
        endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (attempt->cancelled()) co_return Unreachable(host, "timed out");
    if (!error) co_return absl::OkStatus();
  }
  co_return Unreachable(host, error.message());
}

// The proxy's answer to CONNECT, byte by byte: what follows is the tunnel's.
asio::awaitable<std::string> ReadProxyReply(Attempt* attempt) {
  std::string reply;
  boost::system::error_code error;
  while (!error && reply.size() < kMaxProxyReply &&
         reply.find("\r\n\r\n") == std::string::npos) {
    char c = 0;
    const size_t n = co_await attempt->socket.async_read_some(
        asio::buffer(&c, 1), asio::redirect_error(asio::use_awaitable, error));
    if (n == 1) reply.push_back(c);
  }
  co_return reply;
}

}  // namespace

Upstream::Upstream(Options options) : allow_loopback_(options.allow_loopback) {
  std::string_view proxy = options.proxy;
  const size_t scheme = proxy.find("://");
  if (scheme != std::string_view::npos) proxy.remove_prefix(scheme + 3);
  proxy = proxy.substr(0, proxy.find('/'));
  const size_t at = proxy.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view credentials = proxy.substr(0, at);
    const auto plain = base::PercentDecode(credentials);
    proxy_field_ = base::StrCat(
        "Proxy-Authorization: Basic ",
        base::Base64Encode(plain ? *plain : std::string(credentials)), "\r\n");
    proxy.remove_prefix(at + 1);
  }
  proxy_host_ = CanonicalHost(proxy);
  const size_t colon = proxy.rfind(':');
  proxy_port_ = colon == std::string_view::npos
                    ? "80"
                    : std::string(proxy.substr(colon + 1));
}

asio::awaitable<absl::StatusOr<tcp::socket>> Upstream::Connect(
    Connection* client, std::string host, uint16_t port) const {
  Attempt attempt(*client);
  if (!has_proxy()) {
    const absl::Status connected = co_await ConnectTcp(
        &attempt, host, std::to_string(port), !allow_loopback_);
    if (!connected.ok()) co_return connected;
    co_return std::move(attempt.socket);
  }
  const absl::Status connected =
      co_await ConnectTcp(&attempt, proxy_host_, proxy_port_, false);
  if (!connected.ok()) co_return connected;
  const std::string request =
      base::StrCat("CONNECT ", host, ":", port, " HTTP/1.1\r\nHost: ", host,
                   ":", port, "\r\n", proxy_field_, "\r\n");
  boost::system::error_code error;
  co_await asio::async_write(attempt.socket, asio::buffer(request),
                             asio::redirect_error(asio::use_awaitable, error));
  const std::string reply = co_await ReadProxyReply(&attempt);
  const std::string line = reply.substr(0, reply.find("\r\n"));
  if (attempt.cancelled() || line.size() < 12 ||
      line.compare(0, 7, "HTTP/1.") != 0) {
    co_return Unreachable(
        host, base::StrCat("the proxy '", proxy_host_, "' does not answer"));
  }
  if (line.compare(9, 3, "200") != 0) {
    co_return Unreachable(
        host, base::StrCat("the proxy '", proxy_host_, "' answers '",
                           line.substr(9), "'"));
  }
  co_return std::move(attempt.socket);
}

asio::awaitable<absl::StatusOr<tcp::socket>> Upstream::ConnectForHttp(
    Connection* client, std::string host, uint16_t port) const {
  Attempt attempt(*client);
  const bool proxied = has_proxy();
  const std::string& first = proxied ? proxy_host_ : host;
  const std::string service = proxied ? proxy_port_ : std::to_string(port);
  const absl::Status connected = co_await ConnectTcp(
      &attempt, first, service, !proxied && !allow_loopback_);
  if (!connected.ok()) co_return connected;
  co_return std::move(attempt.socket);
}

Refusal ToRefusal(const absl::Status& status) {
  Refusal refusal;
  refusal.status = absl::IsPermissionDenied(status) ? 403 : 502;
  refusal.message = std::string(base::ToStd(status.message()));
  return refusal;
}

}  // namespace brume::front
