#pragma once

#include "api/wire.h"
#include "front/http_head.h"
#include "front/proxy_access.h"
#include "front/stream.h"
#include "front/upstream.h"
#include "runtime/worker_pool.h"

#include <absl/time/time.h>
#include <boost/asio/awaitable.hpp>

#include <memory>

namespace brume::front {

struct HttpLimits {
  size_t header_bytes = 64 * 1024;
  // For a whole head, a TLS handshake, or a connection's first words.
  absl::Duration header_time = absl::Seconds(30);
  // Without a byte in either direction, and between requests.
  absl::Duration idle_time = absl::Seconds(120);
};

// What sessions use of their server; all of it outlives them.
struct HttpContext {
  HttpLimits limits;
  api::HttpService* service = nullptr;
  runtime::WorkerPool* pool = nullptr;
  const ProxyAccess* access = nullptr;
  const Upstream* upstream = nullptr;
};

// Serves HTTP/1.1 requests on the stream until either side ends it, or the
// connection is asked to finish. Never throws.
boost::asio::awaitable<void> ServeHttp(std::unique_ptr<Stream> stream,
                                       HttpPeer peer,
                                       const HttpContext* context);

}  // namespace brume::front
