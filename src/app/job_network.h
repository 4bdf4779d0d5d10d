#pragma once

#include "exec/executor.h"
#include "front/sealed_service.h"
#include "front/server.h"
#include "runtime/sealed_namespace.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>

#include <map>
#include <memory>
#include <string>

namespace brume::app {

// Answers the networks of running tasks: their sockets become listeners of the
// front, which say for which job a request comes, and for whom its metadata
// server speaks. The executor is made before the front and outlives it: sockets
// that come while there is none wait. Thread-safe.
class JobNetwork {
 public:
  void Ready(const exec::TaskSpec& task, runtime::SealedListeners listeners);
  void Gone(const std::string& id);
  // nullptr before the server is destroyed.
  void Attach(front::Server* server);

 private:
  struct Network {
    exec::TaskSpec task;
    runtime::SealedListeners sockets;  // until they are served
    std::unique_ptr<front::SealedService> service;
  };

  absl::Status Serve(Network& network) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ServeOrLog(Network& network) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  front::Server* server_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::map<std::string, Network> networks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::app
