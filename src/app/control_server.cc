#include "app/control_server.h"

#include "app/control_address.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "runtime/fd_passing.h"

#include <absl/types/span.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace brume::app {
namespace {

namespace json = boost::json;

constexpr size_t kMaxLine = 64 * 1024;
constexpr size_t kMaxConnections = 1024;

json::object ErrorReply(const absl::Status& status) {
  return {{"ok", false},
          {"code", absl::StatusCodeToString(status.code())},
          {"message", std::string(base::ToStd(status.message()))}};
}

// A peer that does not read its reply is given up.
void LimitSending(int socket) {
  const timeval limit = {.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Create(
    Options options) {
  ASSIGN_OR_RETURN(const ControlAddress address,
                   ControlAddress::Of(options.folder));
  // The folder's lock is ours: a socket that is there is a dead server's.
  ::unlink(address.path().c_str());
  base::UniqueFd listener(
      ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return base::ErrnoToStatus(errno, "open socket");
  // The mode of the unbound socket is that of the file which bind makes.
  if (::fchmod(listener.get(), 0600) != 0 ||
      ::bind(listener.get(), address.get(), address.size()) != 0 ||
      ::listen(listener.get(), 128) != 0) {
    return base::ErrnoToStatus(
        errno, base::StrCat("listen on '", options.folder, "/control.sock'"));
  }
  base::UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop.valid()) return base::ErrnoToStatus(errno, "open eventfd");
  return std::unique_ptr<ControlServer>(new ControlServer(
      std::move(options), std::move(listener), std::move(stop)));
}

ControlServer::ControlServer(Options options, base::UniqueFd listener,
                             base::UniqueFd stop)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      stop_(std::move(stop)),
      thread_([this] { Serve(); }) {}

ControlServer::~ControlServer() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(stop_.get(), &one, sizeof(one));
  thread_.join();
  ::unlink((options_.folder + "/control.sock").c_str());
}

void ControlServer::Serve() {
  std::vector<pollfd> polls;
  std::vector<uint64_t> ids;
  while (true) {
    polls.assign({{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}});
    ids.clear();
    for (const auto& [id, connection] : connections_) {
      polls.push_back({connection.socket.get(), POLLIN, 0});
      ids.push_back(id);
    }
    if (::poll(polls.data(), polls.size(), -1) < 0) {
      if (errno == EINTR) continue;
      base::Log(base::LogLevel::kError, "control", "poll failed",
                {{"cause", base::ErrnoToStatus(errno, "poll").message()}});
      return;
    }
    if (polls[0].revents != 0) break;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (polls[i + 2].revents == 0) continue;
      const auto found = connections_.find(ids[i]);
      if (Receive(ids[i], found->second)) continue;
      connections_.erase(found);
      options_.closed(ids[i]);
    }
    if (polls[1].revents != 0) Accept();
  }
  connections_.clear();
}

void ControlServer::Accept() {
  base::UniqueFd socket(
      ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.valid() || connections_.size() >= kMaxConnections) return;
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      (peer.uid != ::geteuid() && peer.uid != 0)) {
    base::Log(base::LogLevel::kWarn, "control", "refused another user",
              {{"uid", peer.uid}});
    return;
  }
  LimitSending(socket.get());
  connections_[next_id_++].socket = std::move(socket);
}

bool ControlServer::Receive(uint64_t id, Connection& connection) {
  auto piece = runtime::ReceiveWithFds(connection.socket.get(), kMaxLine);
  if (!piece.ok() || piece->bytes.empty()) return false;
  connection.received += piece->bytes;
  for (base::UniqueFd& fd : piece->fds) connection.fds.push_back(std::move(fd));
  size_t end = 0;
  while ((end = connection.received.find('\n')) != std::string::npos) {
    const std::string line = connection.received.substr(0, end);
    connection.received.erase(0, end + 1);
    const std::string reply =
        Answer(id, line, std::exchange(connection.fds, {}));
    if (!runtime::SendWithFds(connection.socket.get(), reply, {}).ok()) {
      return false;
    }
  }
  return connection.received.size() <= kMaxLine;
}

std::string ControlServer::Answer(uint64_t id, std::string_view line,
                                  std::vector<base::UniqueFd> fds) {
  boost::system::error_code error;
  json::value parsed =
      json::parse(json::string_view(line.data(), line.size()), error);
  const json::object* object = parsed.if_object();
  const json::value* op =
      error || object == nullptr ? nullptr : object->if_contains("op");
  Reply reply = absl::InvalidArgumentError(
      "read control request: it is no JSON object with an \"op\"");
  if (op != nullptr && op->is_string()) {
    reply = options_.handle(
        {std::string(op->get_string()), *object, std::move(fds), id});
  }
  json::object out =
      reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
  if (reply.ok()) out["ok"] = true;
  return json::serialize(out) + "\n";
}

}  // namespace brume::app
