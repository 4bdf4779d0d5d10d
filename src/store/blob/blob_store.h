#pragma once

#include "base/unique_fd.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// Bytes too large for the key-value store: object data, image layers. A blob is
// immutable once committed and lives while it is referenced.
//
// Who owns a blob keeps its id in a row of its own and calls AddReference or
// DropReference in the same transaction that writes that row: a blob and the
// row that names it appear and disappear together. A crash between commit of
// the file and of that transaction leaves a file that an intent record names;
// it is removed at the next start. No sweep of the whole store is needed.
//
// A writer can be parked for later, across restarts (resumable uploads): its
// owner keeps the name that Suspend gave in a row of its own and calls
// KeepSuspended in that row's transaction, as with references.
namespace brume::store {

using BlobId = std::string;  // opaque, printable

// One blob being written. Not thread-safe. Destroyed without Commit or Suspend:
// dropped; of a resumed writer, only what was appended since.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual absl::Status Append(std::string_view bytes) = 0;
  virtual uint64_t size() const = 0;
  // Makes the bytes durable (file and directory synced). The blob has no
  // reference yet: the caller adds one in its own transaction, or it is
  // removed when the returned id is given to Discard or at the next start. A
  // resumed writer can still be resumed until the reference is added.
  virtual absl::StatusOr<BlobId> Commit() = 0;
};

// Thread-safe. Must outlive its writers.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  virtual absl::StatusOr<std::unique_ptr<BlobWriter>> Create() = 0;
  // Reopens a writer that was suspended and kept, cut to `size` (at most what
  // it had when suspended). NOT_FOUND when the name is not kept. One at a time.
  virtual absl::StatusOr<std::unique_ptr<BlobWriter>> Resume(
      std::string_view name, uint64_t size) = 0;
  // Syncs what was appended and parks the writer; returns the name to resume,
  // of a resumed writer the same again. To be kept by KeepSuspended, or given
  // to Discard.
  virtual absl::StatusOr<std::string> Suspend(
      std::unique_ptr<BlobWriter> writer) = 0;

  // A descriptor to read from, with its size. Stays readable while it is open,
  // even if the last reference goes.
  struct Opened {
    base::UniqueFd fd;
    uint64_t size = 0;
  };
  virtual absl::StatusOr<Opened> Open(const BlobId& id) = 0;

  // Inside the caller's transaction. AddReference also ends that the blob's
  // writer is kept as suspended; NOT_FOUND when there is no such blob.
  virtual absl::Status AddReference(KvTransaction& txn, const BlobId& id) = 0;
  virtual absl::Status DropReference(KvTransaction& txn, const BlobId& id) = 0;
  // Inside the caller's transaction: keeps a suspended writer, or gives it up.
  virtual absl::Status KeepSuspended(KvTransaction& txn,
                                     std::string_view name) = 0;
  virtual absl::Status DropSuspended(KvTransaction& txn,
                                     std::string_view name) = 0;
  // Removes files whose last reference was dropped by committed transactions,
  // and what is left of discarded ones. Cheap; called after such a transaction,
  // off the request's path.
  virtual absl::Status Collect() = 0;
  // Removes a committed blob that was never referenced, or a suspended writer
  // that was never kept.
  virtual absl::Status Discard(const BlobId& id) = 0;
};

}  // namespace brume::store
