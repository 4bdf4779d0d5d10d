#pragma once

#include "base/clock.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <memory>

namespace brume::services::storage {

// Generation numbers: microseconds of the wall clock, made unique, and rising
// even when the clock goes back or the process restarts. A durable mark a few
// seconds ahead of the last number given makes that so; it is moved once in
// that many seconds, not once per number. Thread-safe.
class Generations {
 public:
  static absl::StatusOr<std::unique_ptr<Generations>> Create(
      store::KvStore* kv, const base::Clock* clock);

  absl::StatusOr<int64_t> Next();

 private:
  Generations(store::KvStore* kv, const base::Clock* clock, int64_t mark)
      : kv_(kv), clock_(clock), last_(mark), mark_(mark) {}

  store::KvStore* const kv_;
  const base::Clock* const clock_;
  absl::Mutex mutex_;
  int64_t last_ ABSL_GUARDED_BY(mutex_);
  int64_t mark_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::services::storage
