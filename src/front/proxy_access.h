#pragma once

#include "api/wire.h"
#include "front/connection.h"
#include "front/http_head.h"
#include "runtime/worker_pool.h"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace brume::front {

// Who uses the proxy, and who may pass through it to hosts that are not ours.
// The proxy URL of a run is "http://RUN:TOKEN@127.0.0.1:PORT". Thread-safe.
class ProxyAccess {
 public:
  ProxyAccess(api::RunDirectory& runs, runtime::WorkerPool& pool, bool offline)
      : runs_(runs), pool_(pool), offline_(offline) {}

  // Names the run in `peer` by the credentials; 407 when they are wrong. A
  // listener that belongs to a run needs none and has the last word.
  boost::asio::awaitable<std::optional<Refusal>> Identify(
      Connection* connection, HttpPeer* peer, std::string user,
      std::string password) const;

  // Foreign hosts: 407 for those of no run, 403 when offline.
  std::optional<Refusal> CheckForeign(const HttpPeer& peer,
                                      std::string_view host) const;

 private:
  api::RunDirectory& runs_;
  runtime::WorkerPool& pool_;
  const bool offline_;
};

}  // namespace brume::front
