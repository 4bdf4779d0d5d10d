#include "base/errno_status.h"
#include "base/str_cat.h"
#include "front/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace brume::front {

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
