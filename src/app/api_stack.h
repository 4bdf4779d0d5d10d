#pragma once

#include "api/method.h"
#include "api/wire.h"
#include "base/clock.h"
#include "exec/executor.h"
#include "services/usage/usage_record.h"
#include "store/blob/blob_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace brume::app {

class IdentityStack;

// Everything between the stores and the front: the services, their rows in the
// method table, the hand-written surfaces, admission, and the two dispatchers.
// A service is added to the cloud here. Thread-safe once made.
class ApiStack {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    store::BlobStore* blobs = nullptr;
    services::usage::UsageRecord* usage = nullptr;
    const base::Clock* clock = nullptr;
    // nullptr where jobs cannot run: then `no_executor` says why.
    exec::Executor* executor = nullptr;
    std::string no_executor;
  };

  static absl::StatusOr<std::unique_ptr<ApiStack>> Create(Options options);
  // Ends the watching of jobs; jobs themselves go on.
  ~ApiStack();

  api::HttpService& http();
  api::RpcService& rpc();
  const api::MethodTable& table() const;
  IdentityStack& identity();

 private:
  class Impl;
  explicit ApiStack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brume::app
