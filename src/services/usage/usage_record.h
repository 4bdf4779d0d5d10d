#pragma once

#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace brume::services::usage {

// What one call asked for, and what was decided.
struct Decision {
  std::string run;
  std::string principal;  // IAM member form
  std::string permission;
  std::string resource;
  std::string method;
  std::string verdict;  // "unevaluated" while no roles exist
  auto operator<=>(const Decision&) const = default;
};

struct Usage {
  Decision decision;
  int64_t count = 0;
  absl::Time first;
  absl::Time last;
};

// Counts decisions. Recording touches memory only; Flush adds what came
// together to the store in one transaction, so a crash loses the counts since
// the last flush and nothing else. Thread-safe.
class UsageRecord {
 public:
  explicit UsageRecord(store::KvStore* kv) : kv_(kv) {}

  void Add(const Decision& decision, absl::Time time);

  // On an error the counts stay for the next flush.
  absl::Status Flush();

  // What is stored and what is not yet, by decision. Empty `run`: of all runs.
  absl::StatusOr<std::vector<Usage>> List(std::string_view run);

  // Different decisions that wait to be flushed.
  size_t pending() const;

 private:
  struct Counts {
    int64_t count = 0;
    absl::Time first = absl::InfiniteFuture();
    absl::Time last = absl::InfinitePast();
    void Merge(const Counts& other);
  };
  using Batch = std::map<Decision, Counts>;

  store::KvStore* const kv_;
  // Held while a batch is written, so that no listing sees it nowhere.
  absl::Mutex flush_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable absl::Mutex mutex_;
  Batch batch_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::services::usage
