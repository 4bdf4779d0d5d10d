#pragma once

#include "front/server.h"
#include "runtime/sealed_namespace.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

namespace brume::front {

// The server inside a sealed namespace: its 443, 80, metadata server, name
// server and proxy address. The same for `brume run --sealed` and for jobs.
// Ends with the object, which the server outlives. Not thread-safe; see Server
// for where it may be used.
class SealedService {
 public:
  struct Options {
    // Who is inside: the run's name, or "job/ID". Not empty.
    std::string run;
    // Foreign hosts are refused.
    bool offline = false;
    // For whom the metadata server speaks; empty: it knows no account.
    std::string account;
    std::string project;
  };

  // Takes the listeners out of `listeners`; those that are invalid are left
  // out.
  static absl::StatusOr<std::unique_ptr<SealedService>> Create(
      Server& server, runtime::SealedListeners& listeners, Options options);
  ~SealedService();
  SealedService(const SealedService&) = delete;
  SealedService& operator=(const SealedService&) = delete;

 private:
  explicit SealedService(Server& server) : server_(server) {}
  absl::Status Add(base::UniqueFd& socket, api::Origin origin, bool offline);

  Server& server_;
  std::vector<Server::ListenerId> ids_;
};

}  // namespace brume::front
