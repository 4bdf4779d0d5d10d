#pragma once

#include "api/wire.h"
#include "base/unique_fd.h"
#include "front/certificates.h"
#include "front/http_session.h"
#include "runtime/worker_pool.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace brume::front {

// One port for everything. The first bytes of a connection decide: CONNECT, TLS
// ClientHello, origin-form or absolute-form HTTP/1.1, or clear-text HTTP/2.
//
// Lifecycle: Create, Listen, ... , Drain, destruction, which ends what Drain
// left and waits for handlers that still run on the pool. Thread-safe; nothing
// here may be called on an io thread, Drain and destruction not on the pool.
class Server {
 public:
  struct Options {
    // All of these outlive the server.
    api::HttpService* http = nullptr;
    api::RpcService* rpc = nullptr;
    api::RunDirectory* runs = nullptr;
    CertificateAuthority* authority = nullptr;
    runtime::WorkerPool* pool = nullptr;

    HttpLimits limits;
    // Connections at one time; further ones wait in the kernel's queue, and
    // the one that has been idle longest makes room.
    size_t max_connections = 4096;
    // Names besides loopback under which direct requests are answered. Lower
    // case, no port.
    std::vector<std::string> allowed_hosts;
    // Refuse every foreign host.
    bool offline = false;
    // The proxy the environment named at start, "[http://][USER:PASSWORD@]
    // HOST:PORT"; empty: none.
    std::string upstream_proxy;
    // For tests, whose foreign hosts are on loopback.
    bool foreign_hosts_on_loopback = false;
    size_t io_threads = 2;
  };

  static absl::StatusOr<std::unique_ptr<Server>> Create(Options options);
  ~Server();

  // Identifies a listener; never reused.
  using ListenerId = uint64_t;

  // Serves the connections of a listening TCP socket. `origin` says what they
  // are:
  // - kDirect: the main port, or the proxy address inside a sealed namespace;
  //   with a run in it, no credentials are asked for.
  // - kSealed: a namespace's 443 or 80. The SNI or Host chooses; foreign names
  //   pass if a run is given and neither it nor the server is offline.
  // - kMetadata: all goes to the HTTP service as metadata.google.internal, for
  //   the origin's account and project.
  // `offline`: foreign hosts are refused on this listener.
  absl::StatusOr<ListenerId> Listen(base::UniqueFd socket, api::Origin origin,
                                    bool offline = false);

  // Answers DNS on a bound UDP and a listening TCP socket: every name is
  // 127.0.0.1, the metadata server's 169.254.169.254. Either may be invalid.
  absl::StatusOr<ListenerId> ListenDns(base::UniqueFd udp, base::UniqueFd tcp);

  // No new connections on the listener; idle ones end, others after their
  // present reply. Those handed to gRPC end with their clients.
  void Close(ListenerId id);

  // No new connections anywhere; running requests get until `deadline`, then
  // they are cut off. Long polls are answered early.
  void Drain(absl::Time deadline);

  // Connections that are open, those of gRPC included.
  size_t connections() const;

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
