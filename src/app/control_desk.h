#pragma once

#include "api/method.h"
#include "app/control_server.h"
#include "app/image_desk.h"
#include "base/unique_fd.h"
#include "front/server.h"
#include "services/runs/run_registry.h"
#include "services/usage/usage_record.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace brume::app {

// What the control socket does:
//   status      -> what Options::about says, and the runs
//   register    {label, lasting, offline, pid, account, project, token,
//                sockets: ["https", "http", "metadata", "proxy", ...]}
//               -> {name, token, ...}; the descriptors that come along are
//               listeners inside a sealed namespace, in the order of `sockets`
//   unregister  {name}
//   owner       {} -> the owner's credentials
//   usage       {run} -> {usage: [...]}
//   methods     {} -> {methods: [...], known: N}: what the method table serves
//   stop        -> {}; then the server drains and ends
//   images, image_...: see image_desk.h
// A command's run ends with its connection. Thread-safe.
class ControlDesk {
 public:
  struct Options {
    services::runs::RunRegistry* runs = nullptr;
    services::usage::UsageRecord* usage = nullptr;
    front::Server* server = nullptr;
    const api::MethodTable* table = nullptr;
    ImageDesk* images = nullptr;
    boost::json::object about;
    std::function<absl::StatusOr<boost::json::object>()> owner;
    // The service account that a name or an e-mail means in a project (empty:
    // the default one).
    struct Account {
      std::string email;
      std::string project;
    };
    std::function<absl::StatusOr<Account>(std::string_view name,
                                          std::string_view project)>
        find_account;
    std::function<void()> stop;
  };

  explicit ControlDesk(Options options) : options_(std::move(options)) {}

  ControlServer::Reply Handle(ControlServer::Request request);
  void Closed(uint64_t connection);

 private:
  ControlServer::Reply Status();
  ControlServer::Reply Register(ControlServer::Request request);
  ControlServer::Reply Unregister(const ControlServer::Request& request);
  ControlServer::Reply Methods() const;
  ControlServer::Reply Usage(const ControlServer::Request& request);

  const Options options_;
  // A run that ends with its connection, and the listeners it came with.
  struct Held {
    std::string run;
    std::vector<uint64_t> listeners;
  };

  // Serves a sealed namespace's sockets, and the metadata address of a run that
  // speaks for an account; notes the listeners in `held` as it goes.
  absl::Status Listen(const brume::runs::Run& run,
                      const std::vector<std::string>& names,
                      std::vector<base::UniqueFd> fds, Held& held);
  // 127.0.0.1:PORT.
  absl::StatusOr<std::string> ListenForMetadata(const brume::runs::Run& run,
                                                Held& held);
  void End(const Held& held);

  absl::Mutex mutex_;
  std::map<uint64_t, std::vector<Held>> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::app
