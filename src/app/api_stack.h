#pragma once

#include "api/wire.h"
#include "base/clock.h"
#include "services/usage/usage_record.h"
#include "store/blob/blob_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>

#include <memory>

namespace brume::app {

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
  };

  static absl::StatusOr<std::unique_ptr<ApiStack>> Create(Options options);
  ~ApiStack();

  api::HttpService& http();
  api::RpcService& rpc();

 private:
  class Impl;
  explicit ApiStack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brume::app
