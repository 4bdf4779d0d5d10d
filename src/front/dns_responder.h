#pragma once

#include "front/connection.h"
#include "runtime/io_threads.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>

namespace brume::front {

// Answers queries on the socket until it is closed. Never throws.
boost::asio::awaitable<void> ServeDnsUdp(boost::asio::ip::udp::socket* socket);

// Answers queries on the connection until either side ends it: each message
// with its length before it (RFC 1035, 4.2.2).
boost::asio::awaitable<void> ServeDnsTcp(Connection* connection);

}  // namespace brume::front
