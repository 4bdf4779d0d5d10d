#pragma once

#include "api/wire.h"
#include "base/unique_fd.h"
#include "front/certificates.h"
#include "front/http_session.h"
#include "runtime/worker_pool.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace brume::front {

// One port for everything. The first bytes of a connection decide: CONNECT, TLS
// ClientHello, origin-form or absolute-form HTTP/1.1, or clear-text HTTP/2.
// Thread-safe. Destruction closes every connection; call Drain first.
class Server {
 public:
  struct Options {
    api::HttpService* http = nullptr;
    api::RpcService* rpc = nullptr;
    api::RunDirectory* runs = nullptr;
    CertificateAuthority* authority = nullptr;
    runtime::WorkerPool* pool = nullptr;
    HttpLimits limits;
    // Names besides loopback under which direct requests are answered.
    std::vector<std::string> allowed_hosts;
    // Refuse every foreign host.
    bool offline = false;
    // "host:port" of the proxy the environment named at start; empty: none.
    std::string upstream_proxy;
    int io_threads = 2;
  };

  static absl::StatusOr<std::unique_ptr<Server>> Create(Options options);
  ~Server();

  // Serves connections of a listening socket. `origin` says what they are; a
  // kSealed listener's first bytes must be TLS or HTTP for the host they name.
  absl::Status Listen(base::UniqueFd socket, api::Origin origin);

  // No new connections; running requests get until `deadline`.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A listening TCP socket on 127.0.0.1. Port 0 picks one. ALREADY_EXISTS with a
// line that says what to do when the port is in use.
absl::StatusOr<base::UniqueFd> ListenLoopback(uint16_t port);
absl::StatusOr<uint16_t> PortOf(const base::UniqueFd& socket);

}  // namespace brume::front
