#include "runtime/sealed_namespace.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "runtime/fd_passing.h"
#include "runtime/id_mapping.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace brume::runtime {
namespace {

constexpr uint32_t kLoopback = INADDR_LOOPBACK;
constexpr uint32_t kMetadataAddress = 0xA9FEA9FE;  // 169.254.169.254
constexpr int kBacklog = 511;

sockaddr_in Address(uint32_t ip, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(ip);
  return address;
}

// netdevice(7): no netlink is needed for so little.
absl::Status SetUpLoopback() {
  base::UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control.valid()) return base::ErrnoToStatus(errno, "open socket");
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) {
    return base::ErrnoToStatus(errno, "bring up 'lo'");
  }
  request = {};
  std::strcpy(request.ifr_name, "lo:brume");
  const sockaddr_in metadata = Address(kMetadataAddress, 0);
  std::memcpy(&request.ifr_addr, &metadata, sizeof(metadata));
  if (::ioctl(control.get(), SIOCSIFADDR, &request) != 0) {
    return base::ErrnoToStatus(errno, "add address '169.254.169.254'");
  }
  const sockaddr_in mask = Address(0xFFFFFFFF, 0);
  std::memcpy(&request.ifr_netmask, &mask, sizeof(mask));
  if (::ioctl(control.get(), SIOCSIFNETMASK, &request) != 0) {
    return base::ErrnoToStatus(errno, "set netmask of '169.254.169.254'");
  }
  return absl::OkStatus();
}

absl::StatusOr<base::UniqueFd> Bind(int type, uint32_t ip, uint16_t port) {
  const std::string action = base::StrCat("listen on port ", port, " inside");
  base::UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return base::ErrnoToStatus(errno, action);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in address = Address(ip, port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
             sizeof(address)) != 0) {
    return base::ErrnoToStatus(errno, action);
  }
  if (type == SOCK_STREAM && ::listen(fd.get(), kBacklog) != 0) {
    return base::ErrnoToStatus(errno, action);
  }
  return fd;
}

absl::StatusOr<base::UniqueFd> OpenNamespace(const char* kind) {
  base::UniqueFd fd(::open(base::StrCat("/proc/self/ns/", kind).c_str(),
                           O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return base::ErrnoToStatus(errno,
                               base::StrCat("open ", kind, " namespace"));
  }
  return fd;
}

// Everything that happens inside, in the order in which the parent reads it:
// [user,] net, https, http, metadata, dns udp, dns tcp [, proxy].
absl::StatusOr<std::vector<base::UniqueFd>> BuildInside(
    const SealedNamespace::Options& options) {
  RETURN_IF_ERROR(SetUpLoopback());
  std::vector<base::UniqueFd> fds;
  if (options.mapping != SealedNamespace::Mapping::kNone) {
    ASSIGN_OR_RETURN(base::UniqueFd user, OpenNamespace("user"));
    fds.push_back(std::move(user));
  }
  ASSIGN_OR_RETURN(base::UniqueFd net, OpenNamespace("net"));
  fds.push_back(std::move(net));
  struct Socket {
    int type;
    uint32_t ip;
    uint16_t port;
  };
  std::vector<Socket> sockets = {{SOCK_STREAM, kLoopback, 443},
                                 {SOCK_STREAM, kLoopback, 80},
                                 {SOCK_STREAM, kMetadataAddress, 80},
                                 {SOCK_DGRAM, kLoopback, 53},
                                 {SOCK_STREAM, kLoopback, 53}};
  if (options.proxy_port != 0) {
    sockets.push_back({SOCK_STREAM, kLoopback, options.proxy_port});
  }
  for (const Socket& socket : sockets) {
    ASSIGN_OR_RETURN(base::UniqueFd fd,
                     Bind(socket.type, socket.ip, socket.port));
    fds.push_back(std::move(fd));
  }
  return fds;
}

// The child's side of Create. `channel` carries one byte each way before the
// descriptors when the parent must write the id maps.
absl::Status RunChild(const SealedNamespace::Options& options, int channel) {
  using Mapping = SealedNamespace::Mapping;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  const int flags = options.mapping == Mapping::kNone
                        ? CLONE_NEWNET
                        : CLONE_NEWUSER | CLONE_NEWNET;
  if (::unshare(flags) != 0) {
    return absl::FailedPreconditionError(base::StrCat(
        "create namespace: ", std::strerror(errno),
        "; this machine must allow user namespaces (sysctl "
        "kernel.unprivileged_userns_clone=1, user.max_user_namespaces > 0), "
        "or run as root"));
  }
  if (options.mapping == Mapping::kSelf) {
    RETURN_IF_ERROR(MapSelf(uid, gid));
  } else if (options.mapping == Mapping::kSubordinate) {
    char byte = 'm';
    if (::write(channel, &byte, 1) != 1 || ::read(channel, &byte, 1) != 1) {
      return absl::InternalError("create namespace: id maps were not written");
    }
  }
  ASSIGN_OR_RETURN(std::vector<base::UniqueFd> fds, BuildInside(options));
  std::vector<int> raw;
  for (const base::UniqueFd& fd : fds) raw.push_back(fd.get());
  return SendWithFds(channel, "k", raw);
}

}  // namespace

SealedNamespace::Mapping SealedNamespace::DefaultMapping() {
  return ::geteuid() == 0 ? Mapping::kNone : Mapping::kSelf;
}

absl::StatusOr<std::unique_ptr<SealedNamespace>> SealedNamespace::Create(
    const Options& options) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return base::ErrnoToStatus(errno, "open socket pair");
  }
  base::UniqueFd ours(pair[0]);
  base::UniqueFd theirs(pair[1]);
  const pid_t child = ::fork();
  if (child < 0) return base::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    ours.Reset();
    const absl::Status status = RunChild(options, theirs.get());
    if (!status.ok()) {
      // "e", the code, the message.
      const std::string report =
          base::StrCat("e", std::string(1, static_cast<char>(status.code())),
                       status.message());
      SendWithFds(theirs.get(), report, {}).IgnoreError();
    }
    ::_exit(0);
  }
  theirs.Reset();

  absl::StatusOr<ReceivedBytes> received = ReceiveWithFds(ours.get(), 4096);
  if (received.ok() && received->bytes == "m") {
    // newuidmap must run outside, on the child that waits.
    absl::Status mapped = MapSubordinate(child);
    if (mapped.ok()) {
      mapped = SendWithFds(ours.get(), "g", {});
      received = ReceiveWithFds(ours.get(), 4096);
    }
    if (!mapped.ok()) received = std::move(mapped);
  }
  ours.Reset();
  int ignored = 0;
  while (::waitpid(child, &ignored, 0) < 0 && errno == EINTR) {
  }
  RETURN_IF_ERROR(received.status());
  const std::string& bytes = received->bytes;
  if (bytes.size() >= 2 && bytes[0] == 'e') {
    return absl::Status(static_cast<absl::StatusCode>(bytes[1]),
                        bytes.substr(2));
  }
  const size_t expected = 6 + (options.mapping != Mapping::kNone ? 1 : 0) +
                          (options.proxy_port != 0 ? 1 : 0);
  if (bytes != "k" || received->fds.size() != expected) {
    return absl::InternalError("create namespace: the child process died");
  }

  auto created = std::unique_ptr<SealedNamespace>(new SealedNamespace());
  auto next = received->fds.begin();
  if (options.mapping != Mapping::kNone) created->user_ns_ = std::move(*next++);
  created->net_ns_ = std::move(*next++);
  created->listeners_.https = std::move(*next++);
  created->listeners_.http = std::move(*next++);
  created->listeners_.metadata = std::move(*next++);
  created->listeners_.dns_udp = std::move(*next++);
  created->listeners_.dns_tcp = std::move(*next++);
  if (options.proxy_port != 0) created->listeners_.proxy = std::move(*next++);
  return created;
}

absl::Status SealedNamespace::Enter() const {
  if (user_ns_.valid() && ::setns(user_ns_.get(), CLONE_NEWUSER) != 0) {
    return base::ErrnoToStatus(errno, "enter user namespace");
  }
  if (::setns(net_ns_.get(), CLONE_NEWNET) != 0) {
    return base::ErrnoToStatus(errno, "enter network namespace");
  }
  return absl::OkStatus();
}

}  // namespace brume::runtime
