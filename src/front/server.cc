#include "front/server.h"

#include "base/log.h"
#include "base/str_cat.h"
#include "front/connection.h"
#include "front/dispatch.h"
#include "front/dns_responder.h"
#include "front/grpc_bridge.h"
#include "front/proxy_access.h"
#include "front/upstream.h"
#include "runtime/io_threads.h"
#include "runtime/task_group.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;

// Listeners that may be open: one sealed namespace has six.
constexpr size_t kMaxListeners = 4096;
// Accepted at one go, before others on the lane have their turn.
constexpr int kAcceptBatch = 64;
constexpr std::chrono::milliseconds kFullPause{20};
// After Drain's deadline, for connections to notice that they are cut off.
constexpr absl::Duration kCutOff = absl::Seconds(5);

// A listening or a datagram socket, on one lane.
struct Listener {
  explicit Listener(runtime::Lane& where)
      : lane(where), acceptor(*where.io), datagrams(*where.io) {}

  Server::ListenerId id = 0;
  runtime::Lane& lane;
  tcp::acceptor acceptor;
  udp::socket datagrams;
  bool dns = false;
  HttpPeer peer;
  // The lane's.
  bool closing = false;
  // Its coroutine has ended.
  absl::Notification closed;
};

}  // namespace

class Server::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)),
        access_(*options_.runs, *options_.pool, options_.offline),
        upstream_(
            {options_.upstream_proxy, options_.foreign_hosts_on_loopback}),
        grpc_(*options_.rpc, *options_.pool, *options_.authority),
        http_{options_.limits, options_.http, options_.pool, &access_,
              &upstream_},
        dispatch_(http_, grpc_, *options_.authority),
        lanes_(options_.io_threads),
        listeners_group_("listeners", kMaxListeners),
        connections_("connections", options_.max_connections),
        threads_(options_.io_threads) {
    for (size_t i = 0; i < lanes_.size(); ++i) {
      lanes_[i].lane = &threads_.at(i);
    }
  }

  ~Impl() {
    CloseListeners();
    AbortConnections(absl::InfiniteFuture());
  }

  absl::StatusOr<ListenerId> Listen(base::UniqueFd socket, api::Origin origin,
                                    bool offline) {
    auto listener = std::make_shared<Listener>(threads_.Next());
    listener->peer.origin = std::move(origin);
    listener->peer.allowed_hosts = &options_.allowed_hosts;
    listener->peer.offline = offline;
    return AddTcp(std::move(listener), std::move(socket));
  }

  absl::StatusOr<ListenerId> ListenDns(base::UniqueFd udp, base::UniqueFd tcp) {
    ListenerId id = 0;
    if (udp.valid()) {
      auto listener = std::make_shared<Listener>(threads_.Next());
      boost::system::error_code error;
      listener->datagrams.assign(udp::v4(), udp.get(), error);
      if (error) return Refused(error);
      udp.Release();
      id = Register(listener, 0);
      if (!listeners_group_.Spawn(listener->lane.io->get_executor(),
                                  AnswerDatagrams(listener))) {
        return TooMany(id);
      }
    }
    if (!tcp.valid()) return id;
    auto listener = std::make_shared<Listener>(threads_.Next());
    listener->dns = true;
    listener->id = id;
    return AddTcp(std::move(listener), std::move(tcp));
  }

  void Close(ListenerId id) {
    for (const auto& listener : Take(id)) CloseOne(*listener);
    Finish(id);
  }

  void Drain(absl::Time deadline) {
    CloseListeners();
    Finish(0);
    grpc_.Drain(deadline);
    if (connections_.WaitIdle(deadline)) return;
    AbortConnections(absl::Now() + kCutOff);
  }

  size_t connections() const {
    return connections_.size() + grpc_.connections();
  }

 private:
  static absl::Status Refused(boost::system::error_code error) {
    return absl::InvalidArgumentError(
        base::StrCat("listen on a given socket: ", error.message()));
  }

  absl::Status TooMany(ListenerId id) {
    Take(id);
    return absl::ResourceExhaustedError(
        base::StrCat("listen on a given socket: there are ", kMaxListeners,
                     " listeners already, or Brume is ending"));
  }

  absl::StatusOr<ListenerId> AddTcp(std::shared_ptr<Listener> listener,
                                    base::UniqueFd socket) {
    boost::system::error_code error;
    listener->acceptor.assign(tcp::v4(), socket.get(), error);
    if (error) return Refused(error);
    socket.Release();
    listener->acceptor.native_non_blocking(true, error);
    if (error) return Refused(error);
    const ListenerId id = Register(listener, listener->id);
    if (!listeners_group_.Spawn(listener->lane.io->get_executor(),
                                Accept(listener))) {
      return TooMany(id);
    }
    return id;
  }

  // `id` 0: a new one. A DNS listener's two sockets share one.
  ListenerId Register(const std::shared_ptr<Listener>& listener,
                      ListenerId id) {
    absl::MutexLock lock(&mutex_);
    listener->id = id != 0 ? id : ++last_id_;
    listeners_.emplace(listener->id, listener);
    return listener->id;
  }

  std::vector<std::shared_ptr<Listener>> Take(ListenerId id) {
    absl::MutexLock lock(&mutex_);
    std::vector<std::shared_ptr<Listener>> taken;
    const auto range = listeners_.equal_range(id);
    for (auto it = range.first; it != range.second; ++it) {
      taken.push_back(it->second);
    }
    listeners_.erase(range.first, range.second);
    return taken;
  }

  void CloseOne(Listener& listener) {
    asio::post(*listener.lane.io, [&listener] {
      listener.closing = true;
      boost::system::error_code ignored;
      listener.acceptor.close(ignored);
      listener.datagrams.close(ignored);
    });
    listener.closed.WaitForNotification();
  }

  void CloseListeners() {
    for (;;) {
      ListenerId id = 0;
      {
        absl::MutexLock lock(&mutex_);
        if (listeners_.empty()) break;
        id = listeners_.begin()->first;
      }
      for (const auto& listener : Take(id)) CloseOne(*listener);
    }
  }

  void Finish(ListenerId id) {
    for (LaneConnections& lane : lanes_) {
      asio::post(*lane.lane->io, [&lane, id] { lane.Finish(id); });
    }
  }

  void AbortConnections(absl::Time deadline) {
    // Again and again: one may have been about to begin.
    do {
      for (LaneConnections& lane : lanes_) {
        asio::post(*lane.lane->io, [&lane] { lane.Abort(); });
      }
    } while (!connections_.WaitIdle(
                 std::min(deadline, absl::Now() + absl::Milliseconds(100))) &&
             absl::Now() < deadline);
  }

  asio::awaitable<void> AnswerDatagrams(std::shared_ptr<Listener> listener) {
    co_await ServeDnsUdp(&listener->datagrams);
    listener->closed.Notify();
  }

  asio::awaitable<void> Accept(std::shared_ptr<Listener> listener) {
    while (!listener->closing) {
      boost::system::error_code error;
      co_await listener->acceptor.async_wait(
          tcp::acceptor::wait_read,
          asio::redirect_error(asio::use_awaitable, error));
      if (listener->closing) break;
      const bool room = AcceptSome(listener);
      if (room) continue;
      // The kernel keeps further ones waiting.
      asio::steady_timer pause(*listener->lane.io);
      pause.expires_after(kFullPause);
      co_await pause.async_wait(
          asio::redirect_error(asio::use_awaitable, error));
    }
    listener->closed.Notify();
  }

  // False when there is no room for more.
  bool AcceptSome(const std::shared_ptr<Listener>& listener) {
    for (int i = 0; i < kAcceptBatch; ++i) {
      if (connections_.full()) {
        EvictIdle();
        return false;
      }
      // Close-on-exec at once: another thread may be starting a child.
      base::UniqueFd socket(::accept4(listener->acceptor.native_handle(),
                                      nullptr, nullptr,
                                      SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.valid()) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
        if (errno == EINTR || errno == ECONNABORTED) continue;
        base::Log(base::LogLevel::kWarn, "front", "cannot accept",
                  {{"errno", errno}});
        EvictIdle();
        return false;
      }
      LaneConnections& lane = lanes_[next_lane_++ % lanes_.size()];
      connections_.Spawn(lane.lane->io->get_executor(),
                         Serve(&lane, std::move(socket), listener));
    }
    return true;
  }

  void EvictIdle() {
    for (LaneConnections& lane : lanes_) {
      asio::post(*lane.lane->io, [&lane] { lane.EvictIdle(); });
    }
  }

  asio::awaitable<void> Serve(LaneConnections* lane, base::UniqueFd socket,
                              std::shared_ptr<Listener> listener) {
    Connection connection(*lane, listener->id, std::move(socket),
                          options_.limits.idle_time);
    if (connection.peer().empty()) co_return;
    if (listener->dns) {
      co_await ServeDnsTcp(&connection);
    } else {
      co_await dispatch_.Serve(&connection, listener->peer);
    }
  }

  const Options options_;
  const ProxyAccess access_;
  const Upstream upstream_;
  GrpcBridge grpc_;
  const HttpContext http_;
  const Dispatch dispatch_;
  std::vector<LaneConnections> lanes_;
  std::atomic<size_t> next_lane_{0};
  absl::Mutex mutex_;
  std::multimap<ListenerId, std::shared_ptr<Listener>> listeners_
      ABSL_GUARDED_BY(mutex_);
  ListenerId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  runtime::TaskGroup listeners_group_;
  runtime::TaskGroup connections_;
  runtime::IoThreads threads_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Create(Options options) {
  if (options.http == nullptr || options.rpc == nullptr ||
      options.runs == nullptr || options.authority == nullptr ||
      options.pool == nullptr || options.io_threads == 0) {
    return absl::InvalidArgumentError("make a server: an option is missing");
  }
  auto impl = std::make_unique<Impl>(std::move(options));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

absl::StatusOr<Server::ListenerId> Server::Listen(base::UniqueFd socket,
                                                  api::Origin origin,
                                                  bool offline) {
  return impl_->Listen(std::move(socket), std::move(origin), offline);
}

absl::StatusOr<Server::ListenerId> Server::ListenDns(base::UniqueFd udp,
                                                     base::UniqueFd tcp) {
  return impl_->ListenDns(std::move(udp), std::move(tcp));
}

void Server::Close(ListenerId id) { impl_->Close(id); }

void Server::Drain(absl::Time deadline) { impl_->Drain(deadline); }

size_t Server::connections() const { return impl_->connections(); }

}  // namespace brume::front
