#pragma once

#include "base/clock.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <google/longrunning/operations.pb.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Long-running operations (google.longrunning, AIP-151), durable: an operation
// is a row, written in the transaction that does or begins its work.
namespace brume::services::longrunning {

// Thread-safe.
class Operations {
 public:
  // `kv` and `clock` must outlive it.
  Operations(store::KvStore& kv, const base::Clock& clock);

  // Makes the operation's row: done, with `response`. For work that the same
  // transaction does. `name` is whole: "operations/cp.123" or
  // "projects/N/locations/L/operations/123".
  static absl::StatusOr<google::longrunning::Operation> PutDone(
      store::KvTransaction& txn, std::string_view name,
      const google::protobuf::Message& metadata,
      const google::protobuf::Message& response);
  // Not done yet.
  static absl::StatusOr<google::longrunning::Operation> PutStarted(
      store::KvTransaction& txn, std::string_view name,
      const google::protobuf::Message& metadata);
  // Ends a started operation and keeps its metadata, or replaces it when
  // `metadata` is given. NOT_FOUND when there is none. Call Wake after commit.
  static absl::Status PutFinished(
      store::KvTransaction& txn, std::string_view name,
      const absl::StatusOr<const google::protobuf::Message*>& result,
      const google::protobuf::Message* metadata = nullptr);

  // Tells waiters that the operation may be done.
  void Wake(std::string_view name);

  // NOT_FOUND when there is none.
  absl::StatusOr<google::longrunning::Operation> Get(std::string_view name);
  // Operations whose name begins with `parent` + "/operations/" (any with
  // "operations/" when it is empty), by name, after `after`; at most `count`.
  // `done` filters when set.
  absl::StatusOr<std::vector<google::longrunning::Operation>> List(
      std::string_view parent, std::string_view after, size_t count,
      std::optional<bool> done = std::nullopt);
  // Forgets it; its work goes on. NOT_FOUND when there is none.
  absl::Status Delete(std::string_view name);

  // Calls `wake` once when the operation may have ended, from any thread, or at
  // once when it has. Give the id to Unsubscribe; then `wake` is not running
  // and will not be called.
  uint64_t Subscribe(std::string_view name, std::function<void()> wake);
  void Unsubscribe(uint64_t id);

 private:
  struct Waiter {
    std::string name;
    std::function<void()> wake;
  };
  store::KvStore& kv_;
  const base::Clock& clock_;
  absl::Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::services::longrunning
