#include "front/grpc_bridge.h"

#include "base/str_cat.h"
#include "front/served_hosts.h"

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_replace.h>
#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace brume::front {
namespace {

// Control-plane messages are small; a request above this is refused.
constexpr int kMaxMessage = 16 * 1024 * 1024;

struct Peer {
  api::Origin origin;
  std::string host;
};

// gRPC tells of a connection only its address: who it is is kept by that.
// Bounded by the number of ports.
class PeerMap {
 public:
  void Put(const std::string& address, Peer peer) {
    absl::MutexLock lock(&mutex_);
    peers_[address] = std::move(peer);
  }
  Peer Get(const std::string& address) const {
    absl::MutexLock lock(&mutex_);
    const auto found = peers_.find(address);
    return found == peers_.end() ? Peer{} : found->second;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, Peer> peers_ ABSL_GUARDED_BY(mutex_);
};

// As ServerContext::peer() spells it: "ipv4:127.0.0.1:4711".
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
  return base::StrCat("ipv6:[", text, "]:", ntohs(in->sin6_port));
}

std::string FromBuffer(grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string out;
  if (!buffer.Dump(&slices).ok()) return out;
  for (const grpc::Slice& slice : slices) {
    out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return out;
}

// "/google.iam.admin.v1.IAM/CreateKey" -> "google.iam.admin.v1.IAM.CreateKey"
std::string MethodName(std::string path) {
  if (!path.empty() && path[0] == '/') path.erase(0, 1);
  for (char& c : path) {
    if (c == '/') c = '.';
  }
  return path;
}

// One unary call. Deletes itself in OnDone, when gRPC has no more use for it
// and no pool task holds it.
class Reactor final : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(grpc::GenericCallbackServerContext* context, const PeerMap& peers,
          api::RpcService& service, runtime::WorkerPool& pool)
      : context_(context), service_(service), pool_(pool) {
    const Peer peer = peers.Get(context->peer());
    head_.method = MethodName(context->method());
    head_.origin = peer.origin;
    head_.host = peer.host.empty() ? CanonicalHost(context->host()) : peer.host;
    head_.deadline = absl::FromChrono(context->deadline());
    for (const auto& [name, value] : context->client_metadata()) {
      head_.metadata.Add(std::string(name.data(), name.size()),
                         std::string(value.data(), value.size()));
    }
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status(grpc::StatusCode::INTERNAL,
                          "the call carried no request message"));
      return;
    }
    Hold();
    pool_.Submit([this] {
      Settle(service_.Call(std::move(head_), FromBuffer(request_)));
      Release();
    });
  }
  void OnWriteDone(bool) override {}
  void OnDone() override { Release(); }

 private:
  void Hold() { ++holders_; }
  void Release() {
    if (--holders_ == 0) delete this;
  }

  void Settle(api::RpcOutcome outcome) {
    if (auto* wait = std::get_if<std::unique_ptr<api::RpcWait>>(&outcome)) {
      wait_ = std::move(*wait);
      Hold();
      wait_->Subscribe([this] {
        pool_.Submit([this] {
          Settle(wait_->Resume());
          Release();
        });
      });
      return;
    }
    auto& reply = std::get<api::RpcReply>(outcome);
    if (!reply.status.ok()) {
      const absl::string_view message = reply.status.message();
      Finish(grpc::Status(static_cast<grpc::StatusCode>(reply.status.code()),
                          std::string(message.data(), message.size()),
                          reply.status_details));
      return;
    }
    grpc::Slice slice(reply.message);
    reply_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&reply_, grpc::WriteOptions(), grpc::Status::OK);
  }

  grpc::GenericCallbackServerContext* context_;
  api::RpcService& service_;
  runtime::WorkerPool& pool_;
  api::RpcHead head_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
  std::unique_ptr<api::RpcWait> wait_;
  std::atomic<int> holders_{1};
};

class Service final : public grpc::CallbackGenericService {
 public:
  Service(const PeerMap& peers, api::RpcService& service,
          runtime::WorkerPool& pool)
      : peers_(peers), service_(service), pool_(pool) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Reactor(context, peers_, service_, pool_);
  }

 private:
  const PeerMap& peers_;
  api::RpcService& service_;
  runtime::WorkerPool& pool_;
};

}  // namespace

class GrpcBridge::Impl {
 public:
  Impl(api::RpcService& service, runtime::WorkerPool& pool)
      : generic(peers, service, pool) {}

  PeerMap peers;
  Service generic;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> tls;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> clear;
  std::unique_ptr<grpc::Server> server;
};

GrpcBridge::GrpcBridge(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcBridge::~GrpcBridge() {
  if (impl_->server != nullptr) impl_->server->Shutdown();
}

absl::StatusOr<std::unique_ptr<GrpcBridge>> GrpcBridge::Create(
    api::RpcService& service, runtime::WorkerPool& pool,
    CertificateAuthority& authority) {
  absl::StatusOr<CertificateAuthority::Leaf> leaf = authority.WildcardLeaf();
  if (!leaf.ok()) return leaf.status();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({leaf->key_pem, leaf->certificate_pem});
  auto impl = std::make_unique<Impl>(service, pool);
  grpc::ServerBuilder builder;
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  impl->tls = builder.experimental().AddExternalConnectionAcceptor(
      Type::FROM_FD, grpc::SslServerCredentials(tls));
  impl->clear = builder.experimental().AddExternalConnectionAcceptor(
      Type::FROM_FD, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.SetMaxSendMessageSize(-1);
  builder.RegisterCallbackGenericService(&impl->generic);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr) {
    return absl::InternalError("start gRPC: grpc++ refused to build a server");
  }
  return std::unique_ptr<GrpcBridge>(new GrpcBridge(std::move(impl)));
}

void GrpcBridge::HandOver(base::UniqueFd socket, std::string read, bool tls,
                          api::Origin origin, std::string host) {
  // grpc++ needs the descriptor non-blocking and close-on-exec: a blocking one
  // hangs until the client's deadline.
  fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  origin.tls = tls;
  impl_->peers.Put(AddressOf(socket.get()),
                   {std::move(origin), std::move(host)});
  grpc::Slice slice(read);
  grpc::ByteBuffer buffer(&slice, 1);
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters
      connection;
  connection.fd = socket.Release();
  connection.read_buffer = buffer;
  (tls ? impl_->tls : impl_->clear)->HandleNewConnection(&connection);
}

void GrpcBridge::Drain(absl::Time deadline) {
  impl_->server->Shutdown(absl::ToChronoTime(deadline));
}

}  // namespace brume::front
