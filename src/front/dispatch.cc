#include "front/dispatch.h"

#include "base/log.h"
#include "base/str_cat.h"
#include "front/client_hello.h"
#include "front/served_hosts.h"
#include "front/stream.h"
#include "front/tunnel.h"
#include "runtime/pool_call.h"

#include <absl/status/statusor.h>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using boost::system::system_error;
using Via = api::Origin::Via;

constexpr size_t kMaxConnectHead = 16 * 1024;
// A fatal TLS alert, unrecognized_name (RFC 8446, 6): what clients report when
// a name is not let through.
constexpr std::string_view kUnrecognizedName("\x15\x03\x03\x00\x02\x02\x70", 7);

}  // namespace

asio::awaitable<void> Dispatch::Serve(Connection* connection,
                                      HttpPeer peer) const {
  peer.origin.peer = connection->peer();
  try {
    std::string bytes;
    const FirstBytes kind = co_await ReadFirst(connection, &bytes);
    // Inside a sealed namespace, 443 and 80 are hosts' ports and no proxy's.
    if (kind == FirstBytes::kConnect && peer.origin.via == Via::kDirect) {
      co_await ServeConnect(connection, std::move(bytes), std::move(peer));
    } else {
      co_await ServeInner(connection, std::move(bytes), kind, std::move(peer));
    }
  } catch (const system_error&) {
    // The client went away, or was too slow: nothing to tell it.
  }
}

// Reads until Sniff knows. The deadline covers all of it: nobody may hold a
// connection with a byte now and then.
asio::awaitable<FirstBytes> Dispatch::ReadFirst(Connection* connection,
                                                std::string* bytes) const {
  connection->SetDeadline(http_.limits.header_time);
  FirstBytes kind = Sniff(*bytes);
  while (kind == FirstBytes::kNeedMore) {
    connection->SetIdle(bytes->empty());
    const bool more = co_await ReadMore(connection, bytes);
    connection->SetIdle(false);
    if (!more) co_return FirstBytes::kUnknown;
    kind = Sniff(*bytes);
  }
  co_return kind;
}

asio::awaitable<bool> Dispatch::ReadMore(Connection* connection,
                                         std::string* bytes) const {
  char buffer[4096];
  const size_t n = co_await connection->Read(buffer, sizeof buffer);
  bytes->append(buffer, n);
  co_return n > 0;
}

asio::awaitable<void> Dispatch::Refuse(Connection* connection, int status,
                                       std::string message) const {
  Refusal refusal;
  refusal.status = status;
  refusal.message = std::move(message);
  const std::string reply = FormatRefusal(refusal);
  co_await connection->Write(reply);
}

asio::awaitable<void> Dispatch::ServeConnect(Connection* connection,
                                             std::string bytes,
                                             HttpPeer peer) const {
  size_t end = bytes.find("\r\n\r\n");
  while (end == std::string::npos) {
    if (bytes.size() > kMaxConnectHead) {
      co_await Refuse(connection, 431, "request header fields are too large");
      co_return;
    }
    const bool more = co_await ReadMore(connection, &bytes);
    if (!more) co_return;
    end = bytes.find("\r\n\r\n");
  }
  std::optional<ConnectRequest> request =
      ParseConnect(std::string_view(bytes).substr(0, end + 4));
  bytes.erase(0, end + 4);
  if (!request) {
    co_await Refuse(connection, 400, "malformed CONNECT request");
    co_return;
  }
  peer.origin.via = Via::kProxy;
  std::optional<Refusal> refusal;
  if (!request->user.empty()) {
    refusal = co_await http_.access->Identify(connection, &peer,
                                              std::move(request->user),
                                              std::move(request->password));
  }
  const bool served = IsServedHost(request->host);
  if (!refusal && !served) {
    refusal = http_.access->CheckForeign(peer, request->host);
  }
  if (refusal) {
    co_await Refuse(connection, refusal->status, refusal->message);
    co_return;
  }
  if (!served) {
    connection->ClearDeadline();
    co_await TunnelAfterConnect(connection, http_.upstream, std::move(bytes),
                                std::move(request->host), request->port);
    co_return;
  }
  static constexpr std::string_view kEstablished =
      "HTTP/1.1 200 Connection established\r\n\r\n";
  co_await connection->Write(kEstablished);
  peer.host = std::move(request->host);
  const FirstBytes kind = co_await ReadFirst(connection, &bytes);
  co_await ServeInner(connection, std::move(bytes), kind, std::move(peer));
}

asio::awaitable<void> Dispatch::ServeInner(Connection* connection,
                                           std::string bytes, FirstBytes kind,
                                           HttpPeer peer) const {
  if (kind == FirstBytes::kTls) {
    co_await ServeTls(connection, std::move(bytes), std::move(peer));
  } else if (kind == FirstBytes::kHttp2) {
    co_await HandToGrpc(connection, std::move(bytes), false, std::move(peer));
  } else if (kind == FirstBytes::kHttp1) {
    auto stream = MakePlainStream(*connection, std::move(bytes));
    co_await ServeHttp(std::move(stream), std::move(peer), &http_);
  } else if (kind == FirstBytes::kConnect) {
    co_await Refuse(connection, 400, "CONNECT has no meaning here");
  }
}

asio::awaitable<void> Dispatch::HandToGrpc(Connection* connection,
                                           std::string bytes, bool tls,
                                           HttpPeer peer) const {
  // The first one starts grpc++.
  runtime::PoolCall<absl::Status> call(
      *http_.pool, connection->lane(),
      [grpc = &grpc_, socket = connection->Release(), bytes = std::move(bytes),
       tls, peer = std::move(peer)]() mutable {
        return grpc->HandOver(std::move(socket), std::move(bytes), tls,
                              std::move(peer));
      });
  const absl::Status handed = co_await call.Result();
  if (!handed.ok()) {
    base::Log(base::LogLevel::kWarn, "front", "gRPC connection dropped",
              {{"cause", handed.ToString()}});
  }
}

asio::awaitable<void> Dispatch::PassThrough(Connection* connection,
                                            std::string bytes, std::string name,
                                            HttpPeer peer) const {
  std::optional<Refusal> refusal = http_.access->CheckForeign(peer, name);
  connection->ClearDeadline();
  if (!refusal) {
    refusal = co_await TunnelTo(connection, http_.upstream, std::move(bytes),
                                std::move(name), 443);
  }
  if (!refusal) co_return;
  // TLS has no place for the reason.
  base::Log(base::LogLevel::kInfo, "front", "refused",
            {{"run", peer.origin.run}, {"cause", refusal->message}});
  co_await connection->Write(kUnrecognizedName);
}

asio::awaitable<void> Dispatch::ServeTls(Connection* connection,
                                         std::string bytes,
                                         HttpPeer peer) const {
  HelloResult hello = ParseClientHello(bytes);
  while (hello.state == HelloState::kNeedMore) {
    const bool more = co_await ReadMore(connection, &bytes);
    if (!more) co_return;
    hello = ParseClientHello(bytes);
  }
  if (hello.state == HelloState::kMalformed) co_return;
  std::string name = CanonicalHost(hello.hello.server_name);
  if (peer.host.empty()) {
    if (IsServedHost(name)) {
      peer.host = name;
    } else if (!name.empty() && !IsLoopbackHost(name)) {
      if (peer.origin.via == Via::kSealed) {
        co_await PassThrough(connection, std::move(bytes), std::move(name),
                             std::move(peer));
      } else {
        co_await connection->Write(kUnrecognizedName);
      }
      co_return;
    }
  }
  if (hello.hello.WantsGrpc()) {
    co_await HandToGrpc(connection, std::move(bytes), true, std::move(peer));
    co_return;
  }
  // Minting costs CPU once per name: not on an io thread.
  runtime::PoolCall<absl::StatusOr<std::shared_ptr<ssl_ctx_st>>> mint(
      *http_.pool, connection->lane(),
      [authority = &authority_, host = peer.host] {
        return authority->ContextFor(host);
      });
  absl::StatusOr<std::shared_ptr<ssl_ctx_st>> context = co_await mint.Result();
  if (!context.ok()) {
    base::Log(base::LogLevel::kWarn, "front", "no certificate",
              {{"host", peer.host}, {"cause", context.status().ToString()}});
    co_await connection->Write(kUnrecognizedName);
    co_return;
  }
  auto below = MakePlainStream(*connection, std::move(bytes));
  auto stream = co_await AcceptTls(std::move(below), *std::move(context));
  co_await ServeHttp(std::move(stream), std::move(peer), &http_);
}

}  // namespace brume::front
