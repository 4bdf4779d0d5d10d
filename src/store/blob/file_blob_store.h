#pragma once

#include "store/blob/blob_store.h"
#include "store/blob/directory_syncs.h"
#include "store/fs/file_system.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace brume::store {

// The embedded engine: a file for each blob, in 256 folders, and rows beside
// them in the key-value store.
//
//   PATH/SS/ID.part   being written, or suspended
//   PATH/SS/ID        complete
//   blob.next                 the next id
//   blob.intent ID            a file may be there that nobody owns
//   blob.reference ID         how many own it
//   blob.suspended ID         its writer is kept
//   blob.dead ID              nobody owns it any more
//
// An id always has exactly one of the last four rows until its file is gone
// for good. Intents are written for 64 ids at a time, before any is used, so a
// blob costs no sync of its own for them; those 64 share a folder, so that
// concurrent writers share its syncs.
//
// Sync labels: blob.root and blob.folder (the folders exist), blob.data and
// blob.name (a committed blob), blob.suspended and blob.suspended_name (a
// suspended one), blob.removed (a file is gone before its row is).
class FileBlobStore final : public BlobStore {
 public:
  struct Options {
    std::string path;  // created if missing; its parent must exist
    FileSystem* files = nullptr;
    KvStore* kv = nullptr;
  };

  // Removes what a crash left; costs by what was in flight, not by what is
  // stored.
  static absl::StatusOr<std::unique_ptr<FileBlobStore>> Create(Options options);
  ~FileBlobStore() override;

  absl::StatusOr<std::unique_ptr<BlobWriter>> Create() override;
  absl::StatusOr<std::unique_ptr<BlobWriter>> Resume(std::string_view name,
                                                     uint64_t size) override;
  absl::StatusOr<std::string> Suspend(
      std::unique_ptr<BlobWriter> writer) override;
  absl::StatusOr<Opened> Open(const BlobId& id) override;
  absl::Status AddReference(KvTransaction& txn, const BlobId& id) override;
  absl::Status DropReference(KvTransaction& txn, const BlobId& id) override;
  absl::Status KeepSuspended(KvTransaction& txn,
                             std::string_view name) override;
  absl::Status DropSuspended(KvTransaction& txn,
                             std::string_view name) override;
  absl::Status Collect() override;
  absl::Status Discard(const BlobId& id) override;

 private:
  class Writer;

  explicit FileBlobStore(Options options)
      : options_(std::move(options)), syncs_(options_.files) {}

  absl::StatusOr<uint64_t> NextId();
  absl::Status ReserveIds() ABSL_EXCLUSIVE_LOCKS_REQUIRED(ids_mutex_);
  std::string FolderOf(uint64_t id) const;
  std::string PathOf(uint64_t id) const;
  // Unlinks both names of these ids and syncs; then their `table` rows go.
  absl::Status Remove(std::string_view table, const std::vector<uint64_t>& ids);
  absl::StatusOr<std::vector<uint64_t>> IdsIn(std::string_view table,
                                              size_t limit);
  void Forget(uint64_t id);

  const Options options_;
  DirectorySyncs syncs_;

  absl::Mutex ids_mutex_;
  uint64_t next_ ABSL_GUARDED_BY(ids_mutex_) = 0;
  uint64_t end_ ABSL_GUARDED_BY(ids_mutex_) = 0;
  std::set<std::string> folders_ ABSL_GUARDED_BY(ids_mutex_);

  absl::Mutex collecting_;
  absl::Mutex forgotten_mutex_;
  // Discarded in this run; their intents go at the next Collect.
  std::vector<uint64_t> forgotten_ ABSL_GUARDED_BY(forgotten_mutex_);
};

}  // namespace brume::store
