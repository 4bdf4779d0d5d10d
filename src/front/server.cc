#include "front/server.h"

#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "front/client_hello.h"
#include "front/connect_request.h"
#include "front/grpc_bridge.h"
#include "front/http_head.h"
#include "front/served_hosts.h"
#include "front/tunnel.h"
#include "runtime/on_pool.h"

#include <absl/strings/match.h>
#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr size_t kMaxConnectHead = 16 * 1024;

}  // namespace

class Server::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}
  ~Impl() {
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Start() {
    ASSIGN_OR_RETURN(grpc_, GrpcBridge::Create(*options_.rpc, *options_.pool,
                                               *options_.authority));
    for (int i = 0; i < options_.io_threads; ++i) {
      threads_.emplace_back([this] { io_.run(); });
    }
    return absl::OkStatus();
  }

  absl::Status Listen(base::UniqueFd socket, api::Origin origin) {
    auto acceptor = std::make_shared<tcp::acceptor>(asio::make_strand(io_));
    boost::system::error_code error;
    acceptor->assign(tcp::v4(), socket.get(), error);
    if (error) {
      return absl::InternalError(
          base::StrCat("listen on a given socket: ", error.message()));
    }
    socket.Release();
    {
      absl::MutexLock lock(&mutex_);
      acceptors_.push_back(acceptor);
    }
    Spawn(acceptor->get_executor(), Accept(acceptor, std::move(origin)));
    return absl::OkStatus();
  }

  void Drain(absl::Time deadline) {
    draining_ = true;
    {
      absl::MutexLock lock(&mutex_);
      for (const auto& acceptor : acceptors_) {
        asio::post(acceptor->get_executor(), [acceptor] {
          boost::system::error_code ignored;
          acceptor->close(ignored);
        });
      }
      acceptors_.clear();
    }
    grpc_->Drain(deadline);
    absl::MutexLock lock(&mutex_);
    const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return busy_ == 0;
    };
    mutex_.AwaitWithDeadline(absl::Condition(&idle), deadline);
  }

 private:
  // A coroutine whose unexpected failure is logged.
  template <typename Executor>
  void Spawn(Executor executor, asio::awaitable<void> task) {
    asio::co_spawn(executor, std::move(task), [](std::exception_ptr failure) {
      if (!failure) return;
      try {
        std::rethrow_exception(failure);
      } catch (const boost::system::system_error&) {
        // A connection that ended.
      } catch (const std::exception& e) {
        base::Log(base::LogLevel::kError, "front", "connection failed",
                  {{"cause", e.what()}});
      }
    });
  }

  asio::awaitable<void> Accept(std::shared_ptr<tcp::acceptor> acceptor,
                               api::Origin origin) {
    while (acceptor->is_open()) {
      boost::system::error_code error;
      tcp::socket socket = co_await acceptor->async_accept(
          asio::make_strand(io_),
          asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {
        // Out of descriptors: wait a little for some to come back.
        asio::steady_timer pause(acceptor->get_executor());
        pause.expires_after(std::chrono::milliseconds(50));
        co_await pause.async_wait(
            asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
      const auto executor = socket.get_executor();
      Spawn(executor, Serve(std::move(socket), origin));
    }
  }

  // Reads until Sniff knows; the socket is closed when that takes too long.
  asio::awaitable<FirstBytes> ReadFirst(tcp::socket& socket,
                                        std::string* bytes) {
    FirstBytes kind = Sniff(*bytes);
    while (kind == FirstBytes::kNeedMore) {
      const bool more = co_await ReadSome(socket, bytes);
      if (!more) co_return FirstBytes::kUnknown;
      kind = Sniff(*bytes);
    }
    co_return kind;
  }

  asio::awaitable<bool> ReadSome(tcp::socket& socket, std::string* bytes) {
    char buffer[4096];
    // Nobody may hold a connection that says nothing: a limit for each read.
    auto timer = std::make_shared<asio::steady_timer>(socket.get_executor());
    timer->expires_after(std::chrono::milliseconds(
        absl::ToInt64Milliseconds(options_.limits.header_time)));
    timer->async_wait([&socket, timer](boost::system::error_code error) {
      if (error) return;
      boost::system::error_code ignored;
      socket.cancel(ignored);
    });
    boost::system::error_code error;
    const size_t n = co_await socket.async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    timer->cancel();
    bytes->append(buffer, n);
    co_return !error && n > 0;
  }

  asio::awaitable<void> Serve(tcp::socket socket, api::Origin origin) {
    const Busy busy(*this);
    boost::system::error_code error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    if (error) co_return;
    origin.peer =
        base::StrCat(remote.address().to_string(), ":", remote.port());
    std::string bytes;
    const FirstBytes kind = co_await ReadFirst(socket, &bytes);
    if (kind == FirstBytes::kConnect) {
      co_await ServeConnect(std::move(socket), std::move(bytes),
                            std::move(origin));
      co_return;
    }
    co_await ServeInner(std::move(socket), std::move(bytes), kind,
                        std::move(origin), "");
  }

  // TLS, clear-text gRPC or HTTP/1.1; `host` is what CONNECT chose.
  asio::awaitable<void> ServeInner(tcp::socket socket, std::string bytes,
                                   FirstBytes kind, api::Origin origin,
                                   std::string host) {
    HttpPeer peer{std::move(origin), std::move(host), &options_.allowed_hosts};
    switch (kind) {
      case FirstBytes::kTls:
        co_await ServeTls(std::move(socket), std::move(bytes), std::move(peer));
        break;
      case FirstBytes::kHttp2:
        HandToGrpc(std::move(socket), std::move(bytes), false, peer);
        break;
      case FirstBytes::kHttp1: {
        auto stream = MakePlainStream(std::move(socket), std::move(bytes));
        co_await ServeHttp(std::move(stream), std::move(peer), options_.limits,
                           *options_.http, *options_.pool, draining_);
        break;
      }
      default:
        break;
    }
  }

  void HandToGrpc(tcp::socket socket, std::string bytes, bool tls,
                  const HttpPeer& peer) {
    boost::system::error_code error;
    const int fd = socket.release(error);
    if (error) return;
    grpc_->HandOver(base::UniqueFd(fd), std::move(bytes), tls, peer.origin,
                    peer.host);
  }

  asio::awaitable<void> ServeTls(tcp::socket socket, std::string bytes,
                                 HttpPeer peer) {
    HelloResult hello = ParseClientHello(bytes);
    while (hello.state == HelloState::kNeedMore) {
      const bool more = co_await ReadSome(socket, &bytes);
      if (!more) co_return;
      hello = ParseClientHello(bytes);
    }
    if (hello.state == HelloState::kMalformed) co_return;
    const std::string name = CanonicalHost(hello.hello.server_name);
    if (peer.host.empty()) {
      if (IsServedHost(name)) {
        peer.host = name;
      } else if (!name.empty() && !IsLoopbackHost(name)) {
        if (peer.origin.via == api::Origin::Via::kSealed) {
          co_await TunnelTo(std::move(socket), std::move(bytes), name, 443,
                            options_.upstream_proxy);
        }
        co_return;
      }
    }
    if (hello.hello.WantsGrpc()) {
      HandToGrpc(std::move(socket), std::move(bytes), true, peer);
      co_return;
    }
    // Minting takes milliseconds of CPU once per name: not on an io thread.
    absl::StatusOr<ssl_ctx_st*> context = absl::InternalError("");
    const std::string& for_name = peer.host;
    co_await runtime::OnPool(*options_.pool, [&] {
      context = options_.authority->ContextFor(for_name);
    });
    if (!context.ok()) {
      base::Log(base::LogLevel::kWarn, "front", "no certificate",
                {{"host", peer.host}, {"cause", context.status().ToString()}});
      co_return;
    }
    auto below = MakePlainStream(std::move(socket), std::move(bytes));
    auto stream = co_await AcceptTls(std::move(below), *context);
    co_await ServeHttp(std::move(stream), std::move(peer), options_.limits,
                       *options_.http, *options_.pool, draining_);
  }

  asio::awaitable<void> ServeConnect(tcp::socket socket, std::string bytes,
                                     api::Origin origin) {
    size_t end = bytes.find("\r\n\r\n");
    while (end == std::string::npos && bytes.size() < kMaxConnectHead) {
      const bool more = co_await ReadSome(socket, &bytes);
      if (!more) co_return;
      end = bytes.find("\r\n\r\n");
    }
    if (end == std::string::npos) {
      co_await Refuse(std::move(socket), HeadError({}), "");
      co_return;
    }
    const auto request =
        ParseConnect(std::string_view(bytes).substr(0, end + 4));
    bytes.erase(0, end + 4);
    if (!request) {
      co_await Refuse(std::move(socket),
                      ErrorResponse(400, "malformed CONNECT request"), "");
      co_return;
    }
    origin.via = api::Origin::Via::kProxy;
    bool offline = options_.offline;
    if (!request->user.empty()) {
      absl::StatusOr<api::Run> run = absl::UnauthenticatedError("");
      co_await runtime::OnPool(*options_.pool, [&] {
        run = options_.runs->Authenticate(request->user, request->password);
      });
      if (!run.ok()) {
        co_await Refuse(
            std::move(socket),
            ErrorResponse(407,
                          "the proxy address names no run of this Brume; "
                          "start the command with `brume run` again"),
            "Proxy-Authenticate: Basic realm=\"brume\"\r\n");
        co_return;
      }
      origin.run = run->name;
      offline = offline || run->offline;
    }
    if (!IsServedHost(request->host)) {
      if (origin.run.empty()) {
        co_await Refuse(
            std::move(socket),
            ErrorResponse(
                407, base::StrCat("foreign host '", request->host,
                                  "': only commands started with `brume run` "
                                  "are let through")),
            "Proxy-Authenticate: Basic realm=\"brume\"\r\n");
        co_return;
      }
      if (offline || IsLoopbackHost(request->host)) {
        co_await Refuse(
            std::move(socket),
            ErrorResponse(
                403, base::StrCat("host '", request->host,
                                  offline ? "' cannot be reached: this run is "
                                            "offline (--offline)"
                                          : "' is this machine: the proxy "
                                            "does not lead there")),
            "");
        co_return;
      }
      co_await TunnelAfterConnect(std::move(socket), std::move(bytes),
                                  request->host, request->port,
                                  options_.upstream_proxy);
      co_return;
    }
    static constexpr std::string_view kEstablished =
        "HTTP/1.1 200 Connection established\r\n\r\n";
    co_await asio::async_write(
        socket, asio::buffer(kEstablished.data(), kEstablished.size()),
        asio::use_awaitable);
    const FirstBytes kind = co_await ReadFirst(socket, &bytes);
    co_await ServeInner(std::move(socket), std::move(bytes), kind,
                        std::move(origin), request->host);
  }

  asio::awaitable<void> Refuse(tcp::socket socket, api::Response response,
                               std::string extra_fields) {
    std::string head = FormatHead(response, false, false);
    head.insert(head.find("\r\n") + 2, extra_fields);
    head += std::get<std::string>(response.body);
    co_await asio::async_write(socket, asio::buffer(head), asio::use_awaitable);
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  // Counts connections, for Drain.
  class Busy {
   public:
    explicit Busy(Impl& impl) : impl_(impl) {
      absl::MutexLock lock(&impl_.mutex_);
      ++impl_.busy_;
    }
    ~Busy() {
      absl::MutexLock lock(&impl_.mutex_);
      --impl_.busy_;
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    Impl& impl_;
  };

  Options options_;
  std::atomic<bool> draining_{false};
  absl::Mutex mutex_;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::shared_ptr<tcp::acceptor>> acceptors_
      ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<GrpcBridge> grpc_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ =
      asio::make_work_guard(io_);
  std::vector<std::thread> threads_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Create(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

absl::Status Server::Listen(base::UniqueFd socket, api::Origin origin) {
  return impl_->Listen(std::move(socket), std::move(origin));
}

void Server::Drain(absl::Time deadline) { impl_->Drain(deadline); }

absl::StatusOr<base::UniqueFd> ListenLoopback(uint16_t port) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return base::ErrnoToStatus(errno, "make a socket");
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) !=
          0 ||
      ::listen(fd.get(), 1024) != 0) {
    if (errno == EADDRINUSE) {
      return absl::AlreadyExistsError(
          base::StrCat("listen on 127.0.0.1:", port,
                       ": the port is in use; stop what uses it or choose "
                       "another with --port"));
    }
    return base::ErrnoToStatus(errno,
                               base::StrCat("listen on 127.0.0.1:", port));
  }
  return fd;
}

absl::StatusOr<uint16_t> PortOf(const base::UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address),
                    &size) != 0) {
    return base::ErrnoToStatus(errno, "read a socket's address");
  }
  return ntohs(address.sin_port);
}

}  // namespace brume::front
