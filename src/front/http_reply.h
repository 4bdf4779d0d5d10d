#pragma once

#include "api/wire.h"
#include "front/http_head.h"
#include "front/stream.h"
#include "runtime/worker_pool.h"

#include <boost/asio/awaitable.hpp>

namespace brume::front {

// A file range short enough becomes the body's text, so that it leaves with the
// head in one write. For the pool: it reads from the disk.
void LoadSmallFile(api::Response* response);

// Sends head and body. `response` must live until it returns, and keeps what
// is left of its body. Throws system_error when the client went away or the
// body broke off; a body that cannot be sent whole ends the connection.
boost::asio::awaitable<void> SendReply(Stream* stream,
                                       runtime::WorkerPool* pool,
                                       api::Response* response,
                                       HeadFormat format);

}  // namespace brume::front
