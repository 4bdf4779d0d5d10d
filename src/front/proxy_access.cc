#include "front/proxy_access.h"

#include "base/str_cat.h"
#include "front/served_hosts.h"
#include "runtime/pool_call.h"

#include <absl/status/statusor.h>

#include <utility>

namespace brume::front {

boost::asio::awaitable<std::optional<Refusal>> ProxyAccess::Identify(
    Connection* connection, HttpPeer* peer, std::string user,
    std::string password) const {
  if (!peer->origin.run.empty()) co_return std::nullopt;
  // It may look a run up in the store.
  api::RunDirectory* runs = &runs_;
  runtime::PoolCall<absl::StatusOr<api::Run>> call(
      pool_, connection->lane(),
      [runs, user = std::move(user), password = std::move(password)] {
        return runs->Authenticate(user, password);
      });
  absl::StatusOr<api::Run> run = co_await call.Result();
  if (!run.ok()) {
    Refusal refusal;
    refusal.status = 407;
    refusal.message =
        "the proxy address names no run of this Brume; start the command with "
        "'brume run' again";
    co_return refusal;
  }
  peer->origin.run = std::move(run->name);
  peer->offline = peer->offline || run->offline;
  co_return std::nullopt;
}

std::optional<Refusal> ProxyAccess::CheckForeign(const HttpPeer& peer,
                                                 std::string_view host) const {
  if (peer.origin.run.empty()) {
    return Refusal{
        407, base::StrCat("foreign host '", host,
                          "': only commands started with 'brume run' are let "
                          "through")};
  }
  if (offline_ || peer.offline) {
    return Refusal{403,
                   base::StrCat("host '", host, "' cannot be reached: ",
                                offline_ ? "Brume" : "this run",
                                " is offline; start it without --offline")};
  }
  if (IsLoopbackHost(host)) {
    return Refusal{403, base::StrCat("host '", host,
                                     "' is this machine: the proxy does not "
                                     "lead there")};
  }
  return std::nullopt;
}

}  // namespace brume::front
