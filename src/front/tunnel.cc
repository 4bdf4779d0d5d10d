#include "front/tunnel.h"

#include "base/str_cat.h"
#include "front/http_head.h"
#include "front/served_hosts.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <optional>
#include <utility>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Copies until the reading side ends, then passes the end on.
asio::awaitable<void> Pump(tcp::socket* from, tcp::socket* to) {
  std::string buffer(64 * 1024, '\0');
  boost::system::error_code error;
  for (;;) {
    const size_t n = co_await from->async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error || n == 0) break;
    co_await asio::async_write(
        *to, asio::buffer(buffer.data(), n),
        asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  boost::system::error_code ignored;
  to->shutdown(tcp::socket::shutdown_send, ignored);
}

// Connected to the host, or through the proxy's CONNECT; nullopt otherwise.
asio::awaitable<std::optional<tcp::socket>> Reach(
    asio::any_io_executor executor, std::string host, uint16_t port,
    std::string proxy) {
  std::string first = host;
  std::string service = std::to_string(port);
  if (!proxy.empty()) {
    first = CanonicalHost(proxy);
    const size_t colon = proxy.rfind(':');
    service = colon == std::string::npos ? "3128" : proxy.substr(colon + 1);
  }
  tcp::resolver resolver(executor);
  boost::system::error_code error;
  auto found = co_await resolver.async_resolve(
      first, service, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return std::nullopt;
  tcp::socket socket(executor);
  co_await asio::async_connect(
      socket, found, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return std::nullopt;
  if (proxy.empty()) co_return socket;
  const std::string request =
      base::StrCat("CONNECT ", host, ":", port, " HTTP/1.1\r\nHost: ", host,
                   ":", port, "\r\n\r\n");
  co_await asio::async_write(socket, asio::buffer(request),
                             asio::redirect_error(asio::use_awaitable, error));
  // Byte by byte up to the empty line: what follows is the tunnel's.
  std::string reply;
  while (!error && reply.size() < 16 * 1024 &&
         reply.find("\r\n\r\n") == std::string::npos) {
    char c = 0;
    const size_t n = co_await socket.async_read_some(
        asio::buffer(&c, 1), asio::redirect_error(asio::use_awaitable, error));
    if (n == 1) reply.push_back(c);
  }
  const bool accepted = !error && reply.size() > 12 &&
                        reply.compare(0, 7, "HTTP/1.") == 0 &&
                        reply.compare(9, 3, "200") == 0;
  if (!accepted) co_return std::nullopt;
  co_return socket;
}

asio::awaitable<void> Join(tcp::socket client, tcp::socket server,
                           std::string read) {
  using asio::experimental::awaitable_operators::operator&&;
  if (!read.empty()) {
    co_await asio::async_write(server, asio::buffer(read), asio::use_awaitable);
  }
  auto up = Pump(&client, &server);
  auto down = Pump(&server, &client);
  auto both = std::move(up) && std::move(down);
  co_await std::move(both);
}

}  // namespace

asio::awaitable<void> TunnelTo(tcp::socket client, std::string read,
                               std::string host, uint16_t port,
                               std::string proxy) {
  std::optional<tcp::socket> server =
      co_await Reach(client.get_executor(), host, port, proxy);
  if (!server) co_return;
  co_await Join(std::move(client), std::move(*server), std::move(read));
}

asio::awaitable<void> TunnelAfterConnect(tcp::socket client, std::string read,
                                         std::string host, uint16_t port,
                                         std::string proxy) {
  std::optional<tcp::socket> server =
      co_await Reach(client.get_executor(), host, port, proxy);
  std::string reply = "HTTP/1.1 200 Connection established\r\n\r\n";
  if (!server) {
    const api::Response refusal =
        ErrorResponse(502, base::StrCat("host '", host, "' cannot be reached"));
    reply =
        FormatHead(refusal, false, false) + std::get<std::string>(refusal.body);
  }
  co_await asio::async_write(client, asio::buffer(reply), asio::use_awaitable);
  if (!server) co_return;
  co_await Join(std::move(client), std::move(*server), std::move(read));
}

}  // namespace brume::front
