#pragma once

#include "api/wire.h"
#include "front/stream.h"
#include "runtime/worker_pool.h"

#include <absl/time/time.h>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace brume::front {

struct HttpLimits {
  size_t header_bytes = 64 * 1024;
  absl::Duration header_time = absl::Seconds(30);
  // Without a byte in either direction.
  absl::Duration idle_time = absl::Seconds(120);
};

// What the connection has been decided to be about, before the first request.
struct HttpPeer {
  api::Origin origin;
  // The served name from SNI or CONNECT; empty when each request's Host or
  // absolute-form tells.
  std::string host;
  // For a request that names no served host: Host must be loopback or one of
  // these. Lower case, no port.
  const std::vector<std::string>* allowed_hosts = nullptr;
};

// Serves HTTP/1.1 requests on the stream until either side ends it. `draining`
// is read after each request: then the connection is closed. Never throws.
boost::asio::awaitable<void> ServeHttp(std::unique_ptr<Stream> stream,
                                       HttpPeer peer, HttpLimits limits,
                                       api::HttpService& service,
                                       runtime::WorkerPool& pool,
                                       const std::atomic<bool>& draining);

}  // namespace brume::front
