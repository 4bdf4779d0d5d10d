#pragma once

#include "api/http_surface.h"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace brume::app {

// Keeps other users of the machine away from the metadata address of a run,
// which is a port on loopback and gives out tokens: 403 for whoever is neither
// the server's user nor root. (Inside sealed namespaces there is nobody else.)
// Comes before the metadata surface. Thread-safe.
class PeerGuard final : public api::HttpSurface {
 public:
  // The user at the other end of a loopback connection to this process.
  using UserOf = std::function<std::optional<uid_t>(std::string_view peer)>;
  explicit PeerGuard(UserOf user_of) : user_of_(std::move(user_of)) {}

  bool Owns(const api::RequestHead& head) const override;
  api::Begun Begin(api::RequestHead head) override;

 private:
  const UserOf user_of_;
};

// As the kernel's table says it (/proc/net/tcp, proc(5)): the owner of the
// socket whose own address is `peer`, "127.0.0.1:PORT". nullopt when there is
// none, or it is no IPv4 address.
std::optional<uid_t> LoopbackUser(std::string_view peer);
// The same in a given table.
std::optional<uid_t> FindSocketUser(std::string_view table,
                                    std::string_view peer);

}  // namespace brume::app
