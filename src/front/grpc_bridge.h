#pragma once

#include "api/wire.h"
#include "base/unique_fd.h"
#include "front/certificates.h"
#include "front/http_head.h"
#include "runtime/worker_pool.h"

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>
#include <string>

namespace brume::front {

// grpc++ behind our own listeners: connections are accepted elsewhere and
// handed over with the bytes already read. Unary calls of every method end in
// RpcService on the worker pool. Nothing of gRPC is started before the first
// connection. Thread-safe.
class GrpcBridge {
 public:
  GrpcBridge(api::RpcService& service, runtime::WorkerPool& pool,
             CertificateAuthority& authority);
  // Ends every connection.
  ~GrpcBridge();
  GrpcBridge(const GrpcBridge&) = delete;
  GrpcBridge& operator=(const GrpcBridge&) = delete;

  // `read` are the bytes taken from the socket already; `tls` whether they
  // begin a ClientHello. `peer` travels with the connection: each of its calls
  // carries that origin and host. May take milliseconds: not for io threads.
  absl::Status HandOver(base::UniqueFd socket, std::string read, bool tls,
                        HttpPeer peer);

  // Connections that are open.
  size_t connections() const;

  // Refuses new connections and calls, wakes those that wait, and gives running
  // ones until `deadline`. Blocks.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brume::front
