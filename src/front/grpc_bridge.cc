#include "front/grpc_bridge.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "front/grpc_call.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <grpc/grpc.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace brume::front {
namespace {

// Control-plane messages are small; a request above this is refused.
constexpr int kMaxMessage = 16 * 1024 * 1024;
constexpr int kHandshakeMs = 30 * 1000;
constexpr int kIdleMs = 30 * 60 * 1000;
constexpr size_t kMaxConnections = 4096;

// As ServerContext::peer() spells it: "ipv4:127.0.0.1:4711", percent-encoded.
std::string AddressOf(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return "";
  }
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    return base::StrCat("ipv4:", text, ":", ntohs(in->sin_port));
  }
  const auto* in = reinterpret_cast<const sockaddr_in6*>(&storage);
  inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
  return base::StrCat("ipv6:%5B", text, "%5D:", ntohs(in->sin6_port));
}

std::optional<ino_t> InodeOf(int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return std::nullopt;
  return info.st_ino;
}

// gRPC tells of a call's connection only the client's address: what the
// connection is about is kept by that. gRPC owns the descriptors; one that is
// closed, or is another file now, belongs to a connection that has ended.
class PeerMap {
 public:
  // False when a connection from that address is open: clients in different
  // network namespaces may have the same.
  bool Put(const std::string& address, int fd, const HttpPeer& peer) {
    absl::MutexLock lock(&mutex_);
    const auto found = peers_.find(address);
    if (found != peers_.end() && IsOpen(found->second)) return false;
    const std::optional<ino_t> inode = InodeOf(fd);
    if (!inode) return false;
    peers_.insert_or_assign(address, Entry{peer, fd, *inode});
    if (peers_.size() > 2 * kept_) Sweep();
    return true;
  }

  // What the connection from that address is about, for a call on it.
  HttpPeer Get(const std::string& address) {
    absl::MutexLock lock(&mutex_);
    const auto found = peers_.find(address);
    if (found == peers_.end()) return HttpPeer();
    found->second.used = true;
    return found->second.peer;
  }

  // Ends connections that never made a call: gRPC's shutdown would wait until
  // their handshakes time out.
  void EndUnused() {
    absl::MutexLock lock(&mutex_);
    for (const auto& [address, entry] : peers_) {
      if (!entry.used && IsOpen(entry)) ::shutdown(entry.fd, SHUT_RDWR);
    }
  }

  size_t CountOpen() {
    absl::MutexLock lock(&mutex_);
    Sweep();
    return peers_.size();
  }
  // With some that have ended already, perhaps.
  size_t CountKnown() {
    absl::MutexLock lock(&mutex_);
    return peers_.size();
  }

 private:
  struct Entry {
    HttpPeer peer;
    int fd = -1;
    ino_t inode = 0;
    bool used = false;
  };
  static bool IsOpen(const Entry& entry) {
    return InodeOf(entry.fd) == entry.inode;
  }
  void Sweep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (auto it = peers_.begin(); it != peers_.end();) {
      it = IsOpen(it->second) ? std::next(it) : peers_.erase(it);
    }
    kept_ = std::max<size_t>(peers_.size(), 64);
  }

  absl::Mutex mutex_;
  std::map<std::string, Entry> peers_ ABSL_GUARDED_BY(mutex_);
  size_t kept_ ABSL_GUARDED_BY(mutex_) = 64;
};

// One grpc++ server, in which a client address occurs once.
class GrpcServer final : public grpc::CallbackGenericService {
 public:
  explicit GrpcServer(GrpcContext& context) : context_(context) {}
  ~GrpcServer() override {
    if (server_ != nullptr) server_->Shutdown();
  }

  absl::Status Start(CertificateAuthority& authority) {
    absl::StatusOr<CertificateAuthority::Leaf> leaf = authority.WildcardLeaf();
    if (!leaf.ok()) return leaf.status();
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({leaf->key_pem, leaf->certificate_pem});
    grpc::ServerBuilder builder;
    using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
    tls_ = builder.experimental().AddExternalConnectionAcceptor(
        Type::FROM_FD, grpc::SslServerCredentials(tls));
    clear_ = builder.experimental().AddExternalConnectionAcceptor(
        Type::FROM_FD, grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(kMaxMessage);
    builder.SetMaxSendMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                               kHandshakeMs);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return absl::InternalError(
          "start gRPC: grpc++ refused to build a server");
    }
    return absl::OkStatus();
  }

  // False when the client's address is taken; nothing has happened then.
  bool HandOver(base::UniqueFd& socket, const std::string& read, bool tls,
                const HttpPeer& peer) {
    if (!peers_.Put(AddressOf(socket.get()), socket.get(), peer)) return false;
    const grpc::Slice slice(read);
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters
        connection;
    connection.fd = socket.Release();
    connection.read_buffer = grpc::ByteBuffer(&slice, 1);
    (tls ? tls_ : clear_)->HandleNewConnection(&connection);
    return true;
  }

  size_t CountOpen() { return peers_.CountOpen(); }
  size_t CountKnown() { return peers_.CountKnown(); }
  void Shutdown(absl::Time deadline) {
    peers_.EndUnused();
    server_->Shutdown(absl::ToChronoTime(deadline));
  }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return GrpcCall::Start(context, context_, peers_.Get(context->peer()));
  }

 private:
  GrpcContext& context_;
  PeerMap peers_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> tls_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> clear_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

class GrpcBridge::Impl {
 public:
  Impl(api::RpcService& service, runtime::WorkerPool& pool,
       CertificateAuthority& authority)
      : authority_(authority) {
    context_.service = &service;
    context_.pool = &pool;
  }

  absl::Status HandOver(base::UniqueFd socket, const std::string& read,
                        bool tls, HttpPeer peer) {
    // grpc++ needs the descriptor non-blocking and close-on-exec: a blocking
    // one hangs until the client's deadline.
    const int flags = fcntl(socket.get(), F_GETFL);
    if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) {
      return base::ErrnoToStatus(errno, "hand a connection to gRPC");
    }
    if (AddressOf(socket.get()).empty()) return absl::OkStatus();  // has gone
    peer.origin.tls = tls;
    absl::MutexLock lock(&mutex_);
    if (draining_) return absl::UnavailableError("Brume is ending");
    if (IsFull()) {
      return absl::ResourceExhaustedError(base::StrCat(
          "hand a connection to gRPC: ", kMaxConnections, " are open"));
    }
    for (const auto& server : servers_) {
      if (server->HandOver(socket, read, tls, peer)) return absl::OkStatus();
    }
    // Never undone: the last grpc_shutdown may wait ten seconds for
    // descriptors that other threads are about to free.
    if (servers_.empty()) grpc_init();
    auto server = std::make_unique<GrpcServer>(context_);
    RETURN_IF_ERROR(server->Start(authority_));
    server->HandOver(socket, read, tls, peer);
    servers_.push_back(std::move(server));
    return absl::OkStatus();
  }

  size_t connections() {
    absl::MutexLock lock(&mutex_);
    size_t count = 0;
    for (const auto& server : servers_) count += server->CountOpen();
    return count;
  }

  void Drain(absl::Time deadline) {
    std::vector<GrpcServer*> servers;
    {
      absl::MutexLock lock(&mutex_);
      draining_ = true;
      for (const auto& server : servers_) servers.push_back(server.get());
    }
    {
      absl::MutexLock lock(&context_.mutex);
      context_.draining = true;
      // Waking only queues work, which takes this lock later.
      for (GrpcCall* call : context_.waiting) call->WakeForDrain();
    }
    for (GrpcServer* server : servers) server->Shutdown(deadline);
  }

 private:
  bool IsFull() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t known = 0;
    for (const auto& server : servers_) known += server->CountKnown();
    if (known < kMaxConnections) return false;
    size_t open = 0;
    for (const auto& server : servers_) open += server->CountOpen();
    return open >= kMaxConnections;
  }

  CertificateAuthority& authority_;
  GrpcContext context_;
  absl::Mutex mutex_;
  // More than one only while clients of several network namespaces have the
  // same address.
  std::vector<std::unique_ptr<GrpcServer>> servers_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

GrpcBridge::GrpcBridge(api::RpcService& service, runtime::WorkerPool& pool,
                       CertificateAuthority& authority)
    : impl_(std::make_unique<Impl>(service, pool, authority)) {}

GrpcBridge::~GrpcBridge() { Drain(absl::InfinitePast()); }

absl::Status GrpcBridge::HandOver(base::UniqueFd socket, std::string read,
                                  bool tls, HttpPeer peer) {
  return impl_->HandOver(std::move(socket), read, tls, std::move(peer));
}

size_t GrpcBridge::connections() const { return impl_->connections(); }

void GrpcBridge::Drain(absl::Time deadline) { impl_->Drain(deadline); }

}  // namespace brume::front
