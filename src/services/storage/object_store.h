#pragma once

#include "base/clock.h"
#include "services/storage/generations.h"
#include "services/storage/object_list.h"
#include "services/storage/payload.h"
#include "store/blob/blob_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <brume/storage/bucket.pb.h>
#include <brume/storage/object.pb.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace brume::services::storage {

// An object opened for reading: its record and its bytes, of one generation.
// The bytes stay readable though the object be deleted meanwhile.
struct OpenedObject {
  brume::storage::Object object;
  std::string bytes;  // when small
  std::optional<store::BlobStore::Opened> file;
};

// Changes an object's metadata in place; may refuse. May run more than once.
using ObjectChange = std::function<absl::Status(brume::storage::Object&)>;

// Objects: a row each, and its bytes beside it or in a blob. Every method
// returns when its effect is durable. Thread-safe.
class ObjectStore {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    store::BlobStore* blobs = nullptr;
    const base::Clock* clock = nullptr;
    Generations* generations = nullptr;
    // Called after a write that may have freed blobs; must not block. Usually
    // submits BlobStore::Collect to a pool.
    std::function<void()> freed = [] {};
  };

  explicit ObjectStore(Options options) : options_(std::move(options)) {}

  // Makes `object` (name, bucket and what the client said of it) with these
  // bytes the live generation. A checksum that `object` states must be the
  // bytes' own. In a versioned bucket the former one becomes noncurrent.
  absl::StatusOr<brume::storage::Object> Insert(
      brume::storage::Object object, Payload payload,
      const brume::storage::Conditions& conditions);

  // Generation 0 is the live one.
  absl::StatusOr<brume::storage::Object> Get(
      std::string_view bucket, std::string_view name, int64_t generation,
      const brume::storage::Conditions& conditions);
  absl::StatusOr<OpenedObject> Open(
      std::string_view bucket, std::string_view name, int64_t generation,
      const brume::storage::Conditions& conditions);
  absl::StatusOr<ListReply> List(const ListRequest& request);

  // Applies `change`; metageneration rises by one.
  absl::StatusOr<brume::storage::Object> Update(
      std::string_view bucket, std::string_view name, int64_t generation,
      const brume::storage::Conditions& conditions, const ObjectChange& change);

  // Deletes that generation for good; without one the live object, which a
  // versioned bucket keeps as noncurrent.
  absl::Status Delete(std::string_view bucket, std::string_view name,
                      int64_t generation,
                      const brume::storage::Conditions& conditions);

  struct CopyRequest {
    std::string source_bucket;
    std::string source_object;
    int64_t source_generation = 0;
    brume::storage::Conditions source_conditions;
    brume::storage::Conditions conditions;
    // Given the source's metadata under the destination's name; may change it.
    ObjectChange change;
    std::string bucket;
    std::string object;
  };
  // A new object with the source's bytes; a blob is shared, not copied.
  absl::StatusOr<brume::storage::Object> Copy(const CopyRequest& request);

 private:
  struct Found {
    std::string key;
    brume::storage::ObjectRecord record;
    bool live = false;
  };
  absl::StatusOr<Found> Find(store::KvReader& reader, std::string_view bucket,
                             std::string_view name, int64_t generation,
                             bool bucket_must_exist) const;
  // Writes `record` as the live generation, inside `txn`.
  absl::Status Place(store::KvTransaction& txn,
                     const brume::storage::Conditions& conditions,
                     int64_t generation, brume::storage::ObjectRecord& record);
  // Makes the live row of `old` noncurrent, or drops it with its bytes.
  absl::Status Retire(store::KvTransaction& txn,
                      const brume::storage::BucketRecord& bucket,
                      const brume::storage::ObjectRecord& old);
  absl::Status DropBytes(store::KvTransaction& txn,
                         const brume::storage::ObjectRecord& record);

  const Options options_;
};

}  // namespace brume::services::storage
