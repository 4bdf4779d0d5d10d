#include "app/peer_guard.h"

#include "base/str_cat.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_split.h>
#include <arpa/inet.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

namespace brume::app {
namespace {

// Columns of /proc/net/tcp.
constexpr size_t kLocalAddress = 1;
constexpr size_t kUser = 7;

// "127.0.0.1:4660" -> "0100007F:1234": the address as the kernel holds it.
std::optional<std::string> KernelAddress(std::string_view peer) {
  const size_t colon = peer.rfind(':');
  if (colon == peer.npos) return std::nullopt;
  in_addr address = {};
  int port = 0;
  if (::inet_pton(AF_INET, std::string(peer.substr(0, colon)).c_str(),
                  &address) != 1 ||
      !absl::SimpleAtoi(base::ToAbsl(peer.substr(colon + 1)), &port)) {
    return std::nullopt;
  }
  return absl::StrFormat("%08X:%04X", address.s_addr, port);
}

}  // namespace

bool PeerGuard::Owns(const api::RequestHead& head) const {
  if (head.origin.via != api::Origin::Via::kMetadata ||
      !head.origin.peer.starts_with("127.")) {
    return false;
  }
  const std::optional<uid_t> user = user_of_(head.origin.peer);
  return !user.has_value() || (*user != 0 && *user != ::geteuid());
}

api::Begun PeerGuard::Begin(api::RequestHead) {
  api::Response response{.status = 403};
  response.headers.Set("Content-Type", "text/plain; charset=UTF-8");
  response.body =
      std::string("this metadata server speaks for another user's command\n");
  return response;
}

std::optional<uid_t> FindSocketUser(std::string_view table,
                                    std::string_view peer) {
  const std::optional<std::string> address = KernelAddress(peer);
  if (!address.has_value()) return std::nullopt;
  for (const absl::string_view line :
       absl::StrSplit(base::ToAbsl(table), '\n')) {
    const std::vector<absl::string_view> columns =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (columns.size() <= kUser || columns[kLocalAddress] != *address) {
      continue;
    }
    uid_t user = 0;
    if (absl::SimpleAtoi(columns[kUser], &user)) return user;
  }
  return std::nullopt;
}

std::optional<uid_t> LoopbackUser(std::string_view peer) {
  std::ifstream file("/proc/self/net/tcp");
  std::stringstream table;
  table << file.rdbuf();
  return FindSocketUser(table.str(), peer);
}

}  // namespace brume::app
