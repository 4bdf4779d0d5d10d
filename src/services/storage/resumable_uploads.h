#pragma once

#include "base/clock.h"
#include "services/storage/object_store.h"
#include "services/storage/payload.h"
#include "store/blob/blob_store.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <brume/storage/object.pb.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace brume::services::storage {

// Resumable uploads: sessions that outlive connections and restarts, for a
// week. What a session says it has received is durable. Thread-safe.
class ResumableUploads {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    store::BlobStore* blobs = nullptr;
    ObjectStore* objects = nullptr;
    const base::Clock* clock = nullptr;
  };
  class Part;

  explicit ResumableUploads(Options options) : options_(options) {}

  // Opens a session for what `record` says (bucket, object, conditions, ...);
  // returns its id. NoSuchBucket when the bucket is not there.
  absl::StatusOr<std::string> Begin(brume::storage::UploadRecord record);
  // NoSuchUpload when it is unknown, cancelled or too old.
  absl::StatusOr<brume::storage::UploadRecord> Get(std::string_view id);
  // Forgets the session and its bytes.
  absl::Status Cancel(std::string_view id);
  // Begins to append at what is durable. A part that is still open for this
  // session (its connection may be dead without our knowledge) loses it.
  absl::StatusOr<std::unique_ptr<Part>> Open(std::string_view id);

 private:
  // One session's open part, so that two never write at once.
  struct Turn {
    absl::Mutex mutex;
    uint64_t number ABSL_GUARDED_BY(mutex) = 0;
  };

  std::shared_ptr<Turn> TurnOf(const std::string& id);
  absl::Status RemoveExpired();
  absl::Status Remove(store::KvTransaction& txn, std::string_view id,
                      const brume::storage::UploadRecord& record);

  const Options options_;
  absl::Mutex mutex_;
  std::map<std::string, std::weak_ptr<Turn>> turns_ ABSL_GUARDED_BY(mutex_);
};

// Appends to one session. Not thread-safe. Destroyed without Keep or Finish:
// what was appended is kept if it can be, as the client went away.
class ResumableUploads::Part {
 public:
  Part(ResumableUploads* uploads, std::string id,
       brume::storage::UploadRecord record, PayloadWriter writer,
       std::shared_ptr<Turn> turn, uint64_t number);
  ~Part();

  // Bytes of the session so far.
  uint64_t size() const { return writer_->size(); }
  const brume::storage::UploadRecord& record() const { return record_; }
  // Of all bytes so far.
  uint32_t crc32c() const { return writer_->crc32c(); }
  std::string md5() const { return writer_->md5(); }

  // Checksums that the bytes must have, if `stated` has any.
  void Expect(const brume::storage::Object& stated);
  // ABORTED when another part has begun.
  absl::Status Append(std::string_view bytes);
  // Makes what was appended durable; returns how much there is now.
  absl::StatusOr<uint64_t> Keep();
  // Makes the object. When its conditions or checksums are refused the session
  // is at an end; after other errors it goes on.
  absl::StatusOr<brume::storage::Object> Finish();
  // Gives up what was appended by this part.
  void Drop() { writer_.reset(); }

 private:
  absl::Status CheckTurn() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_->mutex);

  ResumableUploads* const uploads_;
  const std::string id_;
  brume::storage::UploadRecord record_;
  std::optional<PayloadWriter> writer_;
  const std::shared_ptr<Turn> turn_;
  const uint64_t number_;
};

}  // namespace brume::services::storage
