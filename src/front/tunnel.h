#pragma once

#include "front/connection.h"
#include "front/http_head.h"
#include "front/upstream.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>

// Foreign hosts pass through untouched: bytes both ways until either side ends,
// nothing has moved for an hour, or the connection is asked to end and has been
// quiet for a second.
namespace brume::front {

// Copies both ways; `first` goes to the server before the client's next bytes.
boost::asio::awaitable<void> JoinSockets(Connection* client,
                                         boost::asio::ip::tcp::socket server,
                                         std::string first);

// For a client that speaks to `host` already; `read` are its first bytes. The
// refusal when the host cannot be reached.
boost::asio::awaitable<std::optional<Refusal>> TunnelTo(
    Connection* client, const Upstream* upstream, std::string read,
    std::string host, uint16_t port);

// For a CONNECT: the answer to it, then as above.
boost::asio::awaitable<void> TunnelAfterConnect(Connection* client,
                                                const Upstream* upstream,
                                                std::string read,
                                                std::string host,
                                                uint16_t port);

}  // namespace brume::front
