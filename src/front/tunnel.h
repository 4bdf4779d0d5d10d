#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>

// Foreign hosts pass through untouched: bytes both ways until either side ends.
// Coroutines' parameters are by value; they throw system_error only for the
// client's own side.
namespace brume::front {

// `read` are bytes of the client's that go first. `proxy` is "host:port" of an
// upstream proxy, or empty.
boost::asio::awaitable<void> TunnelTo(boost::asio::ip::tcp::socket client,
                                      std::string read, std::string host,
                                      uint16_t port, std::string proxy);

// As above for a CONNECT: answers 200, or 502 when the host cannot be reached.
boost::asio::awaitable<void> TunnelAfterConnect(
    boost::asio::ip::tcp::socket client, std::string read, std::string host,
    uint16_t port, std::string proxy);

}  // namespace brume::front
