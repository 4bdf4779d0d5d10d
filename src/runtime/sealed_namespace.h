#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>

namespace brume::runtime {

// The sockets which Brume holds inside a sealed namespace: bound, listening,
// non-blocking, close-on-exec. Whoever accepts on them need not be inside.
struct SealedListeners {
  base::UniqueFd https;     // 127.0.0.1:443
  base::UniqueFd http;      // 127.0.0.1:80
  base::UniqueFd metadata;  // 169.254.169.254:80
  base::UniqueFd dns_udp;   // 127.0.0.1:53
  base::UniqueFd dns_tcp;   // 127.0.0.1:53
  base::UniqueFd proxy;     // 127.0.0.1:proxy_port; invalid when that is 0
};

// A network namespace with nothing in it but a loopback device on which Brume
// itself listens: a program inside reaches Brume whether or not it honours
// proxy variables, and nothing else.
//
// No process holds it: the namespaces live as long as this object's descriptors
// (or a process that entered). Not thread-safe.
class SealedNamespace {
 public:
  // How user ids map into it.
  enum class Mapping {
    // No user namespace: the caller is root (CAP_SYS_ADMIN, CAP_NET_ADMIN).
    kNone,
    // A user namespace in which the caller keeps its own uid and gid, and has
    // no others. Needs no privilege.
    kSelf,
    // A user namespace in which the caller is root and its subordinate ids
    // (/etc/subuid, /etc/subgid; set by newuidmap and newgidmap) are 1, 2, ...
    kSubordinate,
  };
  // kNone for root, else kSelf.
  static Mapping DefaultMapping();

  struct Options {
    Mapping mapping = Mapping::kSelf;
    // Also listen on 127.0.0.1 here, so that the proxy address of the
    // environment works inside too.
    uint16_t proxy_port = 0;
  };

  // FAILED_PRECONDITION, with what to do, where this machine forbids it.
  static absl::StatusOr<std::unique_ptr<SealedNamespace>> Create(
      const Options& options);

  // Moves the calling process inside: user namespace, then network. For a
  // process with one thread (a forked child, before exec). With kSelf and
  // kSubordinate it then has every capability in there, until it executes a
  // program as another user than root.
  absl::Status Enter() const;

  // For setns(2) or a /proc/PID/fd path; user_ns is -1 with kNone.
  int user_ns() const { return user_ns_.get(); }
  int net_ns() const { return net_ns_.get(); }

  // The caller takes them out, once.
  SealedListeners& listeners() { return listeners_; }

 private:
  SealedNamespace() = default;

  base::UniqueFd user_ns_;
  base::UniqueFd net_ns_;
  SealedListeners listeners_;
};

}  // namespace brume::runtime
