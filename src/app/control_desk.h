#pragma once

#include "app/control_server.h"
#include "app/image_desk.h"
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

namespace brume::front {
class Server;
}

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
//   stop        -> {}; then the server drains and ends
//   images, image_...: see image_desk.h
// A command's run ends with its connection. Thread-safe.
class ControlDesk {
 public:
  struct Options {
    services::runs::RunRegistry* runs = nullptr;
    services::usage::UsageRecord* usage = nullptr;
    front::Server* server = nullptr;
    ImageDesk* images = nullptr;
    boost::json::object about;
    std::function<absl::StatusOr<boost::json::object>()> owner;
    std::function<void()> stop;
  };

  explicit ControlDesk(Options options) : options_(std::move(options)) {}

  ControlServer::Reply Handle(ControlServer::Request request);
  void Closed(uint64_t connection);

 private:
  ControlServer::Reply Status();
  ControlServer::Reply Register(ControlServer::Request request);
  ControlServer::Reply Unregister(const ControlServer::Request& request);
  ControlServer::Reply Usage(const ControlServer::Request& request);

  const Options options_;
  absl::Mutex mutex_;
  // Runs that end with a connection.
  std::map<uint64_t, std::vector<std::string>> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::app
