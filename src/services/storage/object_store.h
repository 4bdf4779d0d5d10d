#pragma once

#include "base/clock.h"
#include "services/storage/access.h"
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
#include <vector>

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

  struct InsertRequest {
    // Name, bucket and what the client said of it.
    brume::storage::Object object;
    brume::storage::Conditions conditions;
    std::string predefined_acl;
    // Further writes of the same transaction, given the new object. May run
    // more than once.
    std::function<absl::Status(store::KvTransaction&,
                               const brume::storage::Object&)>
        also;
  };
  // Makes the object with these bytes the live generation. A checksum that it
  // states must be the bytes' own. In a versioned bucket the former one becomes
  // noncurrent.
  absl::StatusOr<brume::storage::Object> Insert(InsertRequest request,
                                                Payload payload);

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
    // Given the source; may refuse.
    std::function<absl::Status(const brume::storage::Object&)> source_check;
    std::string predefined_acl;
    std::string bucket;
    std::string object;
    bool move = false;  // the source is deleted, in the same moment
  };
  // A new object with the source's bytes; a blob is shared, not copied.
  absl::StatusOr<brume::storage::Object> Copy(const CopyRequest& request);

  struct ComposeRequest {
    struct Source {
      std::string name;
      int64_t generation = 0;
      brume::storage::Conditions conditions;
    };
    brume::storage::Object object;  // the destination
    brume::storage::Conditions conditions;
    std::string predefined_acl;
    std::vector<Source> sources;  // 1 to 32, in its bucket
    std::function<absl::Status(const brume::storage::Object&)> source_check;
  };
  // A new object with the sources' bytes one after the other; it has no MD5.
  absl::StatusOr<brume::storage::Object> Compose(const ComposeRequest& request);

  // The access control list in force.
  absl::StatusOr<Acl> GetAcl(const brume::storage::Object& object);
  // Applies `change` to it; as Update otherwise. Refused where ACLs are off.
  absl::StatusOr<brume::storage::Object> UpdateAcl(
      std::string_view bucket, std::string_view name, int64_t generation,
      const brume::storage::Conditions& conditions,
      const std::function<absl::Status(Acl&)>& change);

 private:
  // Writes `record` as the live generation, inside `txn`.
  absl::Status Place(store::KvTransaction& txn,
                     const brume::storage::Conditions& conditions,
                     std::string_view predefined_acl, int64_t generation,
                     brume::storage::ObjectRecord& record, bool& freed);
  // Makes the live row of `old` noncurrent, or drops it with its bytes.
  absl::Status Retire(store::KvTransaction& txn,
                      const brume::storage::BucketRecord& bucket,
                      const brume::storage::ObjectRecord& old, bool& freed);
  // Sets `freed` when a blob may be left to collect.
  absl::Status DropBytes(store::KvTransaction& txn,
                         const brume::storage::ObjectRecord& record,
                         bool& freed);

  const Options options_;
};

}  // namespace brume::services::storage
