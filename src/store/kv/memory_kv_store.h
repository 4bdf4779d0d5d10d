#pragma once

#include "store/kv/buffered_transaction.h"
#include "store/kv/conflict_index.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <map>
#include <memory>
#include <set>
#include <utility>

namespace brume::store {

// A KvStore of one process's memory, for unit tests: same contract, same
// conflicts as the durable engine (it passes the same conformance suite), and
// nothing survives it. Snapshots must not outlive the store. Thread-safe.
class MemoryKvStore final : public KvStore {
 public:
  absl::Status Transact(
      absl::FunctionRef<absl::Status(KvTransaction&)> body) override;
  std::unique_ptr<KvReader> Snapshot() override;
  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override;

  // How many times a body ran again because of a conflict.
  uint64_t conflicts() const;

 private:
  class View;

  // A version to read at, kept until Unpin.
  uint64_t Pin();
  void Unpin(uint64_t version);
  std::optional<std::string> GetAt(std::string_view key,
                                   uint64_t version) const;
  // The first key in [begin, end) that has a value at `version`.
  std::optional<KeyValue> NextAt(std::string_view begin, std::string_view end,
                                 uint64_t version) const;
  bool Commit(uint64_t start, const BufferedTransaction& txn);

  mutable absl::Mutex mutex_;
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  // Every value a live view may still see, by (key, version descending).
  std::map<std::string, std::map<uint64_t, std::optional<std::string>>,
           std::less<>>
      rows_ ABSL_GUARDED_BY(mutex_);
  std::multiset<uint64_t> pinned_ ABSL_GUARDED_BY(mutex_);
  ConflictIndex index_ ABSL_GUARDED_BY(mutex_);
  uint64_t conflicts_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace brume::store
