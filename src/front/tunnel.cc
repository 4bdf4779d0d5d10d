#include "front/tunnel.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <string_view>
#include <utility>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr size_t kBuffer = 32 * 1024;
constexpr std::chrono::hours kQuiet{1};
// After one side has ended.
constexpr std::chrono::minutes kHalfOpen{1};
constexpr std::chrono::seconds kFinishing{1};

// The two sockets, and what ends their tunnel.
class Pair {
 public:
  Pair(Connection& client, tcp::socket server)
      : client_(client),
        server_(std::move(server)),
        limit_(*client.lane().deadlines, [this] { Close(); }),
        stop_(client, [this] { Stop(); }) {
    boost::system::error_code ignored;
    server_.set_option(asio::socket_base::keep_alive(true), ignored);
    client_.socket().set_option(asio::socket_base::keep_alive(true), ignored);
    Touch();
  }

  tcp::socket& client() { return client_.socket(); }
  tcp::socket& server() { return server_; }

  void Touch() {
    std::chrono::steady_clock::duration quiet = kQuiet;
    if (ended_ > 0) quiet = kHalfOpen;
    if (client_.finishing()) quiet = kFinishing;
    limit_.Set(std::chrono::steady_clock::now() + quiet);
  }
  void SideEnded() {
    ++ended_;
    Touch();
  }

 private:
  void Stop() {
    if (client_.aborted()) {
      Close();
    } else {
      Touch();
    }
  }
  void Close() {
    for (tcp::socket* socket : {&client_.socket(), &server_}) {
      boost::system::error_code ignored;
      socket->shutdown(tcp::socket::shutdown_both, ignored);
      socket->cancel(ignored);
    }
  }

  Connection& client_;
  tcp::socket server_;
  int ended_ = 0;
  runtime::Deadlines::Entry limit_;
  Connection::StopHook stop_;
};

// Copies until the reading side ends, then passes the end on.
asio::awaitable<void> Pump(Pair* pair, tcp::socket* from, tcp::socket* to) {
  std::string buffer(kBuffer, '\0');
  boost::system::error_code error;
  for (;;) {
    const size_t n = co_await from->async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error || n == 0) break;
    pair->Touch();
    co_await asio::async_write(
        *to, asio::buffer(buffer.data(), n),
        asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    pair->Touch();
  }
  boost::system::error_code ignored;
  to->shutdown(tcp::socket::shutdown_send, ignored);
  // A broken side cannot take the other's bytes either.
  if (error && error != asio::error::eof) {
    from->shutdown(tcp::socket::shutdown_both, ignored);
    to->shutdown(tcp::socket::shutdown_both, ignored);
  }
  pair->SideEnded();
}

}  // namespace

asio::awaitable<void> JoinSockets(Connection* client, tcp::socket server,
                                  std::string first) {
  using asio::experimental::awaitable_operators::operator&&;
  Pair pair(*client, std::move(server));
  boost::system::error_code error;
  if (!first.empty()) {
    co_await asio::async_write(
        pair.server(), asio::buffer(first),
        asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    first = std::string();
  }
  auto up = Pump(&pair, &pair.client(), &pair.server());
  auto down = Pump(&pair, &pair.server(), &pair.client());
  auto both = std::move(up) && std::move(down);
  co_await std::move(both);
}

asio::awaitable<std::optional<Refusal>> TunnelTo(Connection* client,
                                                 const Upstream* upstream,
                                                 std::string read,
                                                 std::string host,
                                                 uint16_t port) {
  absl::StatusOr<tcp::socket> server =
      co_await upstream->Connect(client, std::move(host), port);
  if (!server.ok()) {
    co_return ToRefusal(server.status());
  }
  co_await JoinSockets(client, *std::move(server), std::move(read));
  co_return std::nullopt;
}

asio::awaitable<void> TunnelAfterConnect(Connection* client,
                                         const Upstream* upstream,
                                         std::string read, std::string host,
                                         uint16_t port) {
  absl::StatusOr<tcp::socket> server =
      co_await upstream->Connect(client, std::move(host), port);
  if (!server.ok()) {
    const std::string reply = FormatRefusal(ToRefusal(server.status()));
    co_await client->Write(reply);
    co_return;
  }
  static constexpr std::string_view kEstablished =
      "HTTP/1.1 200 Connection established\r\n\r\n";
  co_await client->Write(kEstablished);
  co_await JoinSockets(client, *std::move(server), std::move(read));
}

}  // namespace brume::front
