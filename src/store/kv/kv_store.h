#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Ordered, transactional key-value store for metadata: resources and object
// records are keys, a list is a range scan. Keys and values are bytes; keys
// order by memcmp (see key.h for how tuples become keys).
namespace brume::store {

struct KeyValue {
  std::string key;
  std::string value;
};

// A half-open range [begin, end); an empty end means "to the last key".
struct KeyRange {
  std::string begin;
  std::string end;
  // Every key that starts with `prefix`.
  static KeyRange Prefix(std::string_view prefix);
};

// Reads: of a transaction, or of a snapshot. Not thread-safe.
class KvReader {
 public:
  virtual ~KvReader() = default;
  // NOT_FOUND is not an error here: nullopt.
  virtual absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) = 0;
  // Calls `visit` for each pair in order until it returns false.
  virtual absl::Status Scan(
      const KeyRange& range,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)>
          visit) = 0;
};

// A transaction: reads see one moment and its own writes. Two transactions that
// overlap conflict when one wrote a key that the other wrote or read by
// GetForUpdate; the later to commit runs again. Plain reads and scans are not
// watched.
//
// Scans are not protected against phantoms. Therefore: whoever adds a child row
// calls GetForUpdate on its parent's row, and whoever deletes a parent that
// must be empty writes (deletes) the parent's row. Adding children of one
// parent side by side is no conflict.
class KvTransaction : public KvReader {
 public:
  // As Get, and a conflict with whoever writes `key` meanwhile.
  virtual absl::StatusOr<std::optional<std::string>> GetForUpdate(
      std::string_view key) = 0;
  virtual absl::Status Put(std::string_view key, std::string_view value) = 0;
  virtual absl::Status Delete(std::string_view key) = 0;
};

// Thread-safe.
class KvStore {
 public:
  virtual ~KvStore() = default;

  // Runs `body` in a transaction and commits it; returns when the commit is
  // durable (synced; concurrent commits share one sync). On a conflict the body
  // runs again on a fresh snapshot, so it must have no effects but its writes
  // and what it assigns. An error from the body rolls back and is returned.
  // ABORTED when it still conflicts after many tries.
  virtual absl::Status Transact(
      absl::FunctionRef<absl::Status(KvTransaction&)> body) = 0;

  // A consistent read-only view of this moment.
  virtual std::unique_ptr<KvReader> Snapshot() = 0;

  // One key, latest committed value.
  virtual absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) = 0;
};

}  // namespace brume::store
