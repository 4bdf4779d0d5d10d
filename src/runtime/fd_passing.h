#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Descriptors over a Unix socket (SCM_RIGHTS, unix(7)). Blocking sockets.
namespace brume::runtime {

// At most this many descriptors pass with one message.
inline constexpr size_t kMaxPassedFds = 32;

// Sends all of `bytes` (not empty); `fds` travel with the first of them. The
// caller keeps its own descriptors.
absl::Status SendWithFds(int socket, std::string_view bytes,
                         absl::Span<const int> fds);

struct ReceivedBytes {
  std::string bytes;                // empty: the peer closed
  std::vector<base::UniqueFd> fds;  // close-on-exec
};

// One recvmsg of at most `limit` bytes, with the descriptors that came along.
absl::StatusOr<ReceivedBytes> ReceiveWithFds(int socket, size_t limit);

}  // namespace brume::runtime
