#pragma once

#include "api/wire.h"
#include "base/unique_fd.h"
#include "front/certificates.h"
#include "runtime/worker_pool.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace brume::front {

// grpc++ behind our own listener: connections are accepted elsewhere and handed
// over with the bytes already read. Unary calls of every method end in
// RpcService on the worker pool; nothing runs on a gRPC callback thread.
// Thread-safe.
class GrpcBridge {
 public:
  static absl::StatusOr<std::unique_ptr<GrpcBridge>> Create(
      api::RpcService& service, runtime::WorkerPool& pool,
      CertificateAuthority& authority);
  ~GrpcBridge();

  // `read` are the bytes taken from the socket already; `tls` whether they
  // begin a ClientHello. `host`: the name CONNECT or SNI chose, or empty.
  void HandOver(base::UniqueFd socket, std::string read, bool tls,
                api::Origin origin, std::string host);

  // Stops accepting calls, gives running ones until `deadline`.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  explicit GrpcBridge(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brume::front
