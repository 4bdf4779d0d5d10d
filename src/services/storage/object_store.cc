#include "services/storage/object_store.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/checksums.h"
#include "services/storage/keys.h"
#include "services/storage/locations.h"
#include "services/storage/names.h"
#include "services/storage/object_rows.h"
#include "services/storage/preconditions.h"
#include "services/storage/storage_errors.h"

#include <utility>

namespace brume::services::storage {
namespace {

using brume::storage::BucketRecord;
using brume::storage::Conditions;
using brume::storage::Object;
using brume::storage::ObjectRecord;
using google::protobuf::Timestamp;

// What the client said of the bytes must be true.
absl::Status CheckChecksums(const Object& stated, const Payload& payload) {
  const std::string crc = Crc32cToText(payload.crc32c());
  if (stated.has_crc32c() && stated.crc32c() != crc) {
    return Invalid(base::StrCat("Provided CRC32C \"", stated.crc32c(),
                                "\" doesn't match calculated CRC32C \"", crc,
                                "\"."));
  }
  if (stated.has_md5_hash() && payload.md5()) {
    const std::string md5 = base::Base64Encode(*payload.md5());
    if (stated.md5_hash() != md5) {
      return Invalid(base::StrCat("Provided MD5 hash \"", stated.md5_hash(),
                                  "\" doesn't match calculated MD5 hash \"",
                                  md5, "\"."));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ObjectStore::DropBytes(store::KvTransaction& txn,
                                    const ObjectRecord& record, bool& freed) {
  if (!record.blob_id().empty()) {
    freed = true;
    return options_.blobs->DropReference(txn, record.blob_id());
  }
  return txn.Delete(BytesKey(record.bytes_id()));
}

absl::Status ObjectStore::Retire(store::KvTransaction& txn,
                                 const BucketRecord& bucket,
                                 const ObjectRecord& old, bool& freed) {
  const Object& object = old.object();
  if (!bucket.bucket().versioning().enabled())
    return DropBytes(txn, old, freed);
  ObjectRecord noncurrent = old;
  *noncurrent.mutable_object()->mutable_time_deleted() =
      ToMillis(options_.clock->Now());
  return txn.Put(
      NoncurrentKey(object.bucket(), object.name(), object.generation()),
      noncurrent.SerializeAsString());
}

absl::Status ObjectStore::Place(store::KvTransaction& txn,
                                const Conditions& conditions,
                                std::string_view predefined_acl,
                                int64_t generation, ObjectRecord& record,
                                bool& freed) {
  Object& object = *record.mutable_object();
  // The bucket's row is locked so that it cannot be deleted meanwhile.
  ASSIGN_OR_RETURN(const std::optional<std::string> bucket_row,
                   txn.GetForUpdate(BucketKey(object.bucket())));
  ASSIGN_OR_RETURN(const BucketRecord bucket, ParseBucketRow(bucket_row));
  const std::string key = ObjectKey(object.bucket(), object.name());
  ASSIGN_OR_RETURN(const std::optional<std::string> row, txn.GetForUpdate(key));
  ObjectRecord old;
  if (row) {
    ASSIGN_OR_RETURN(old, ParseObjectRow(*row));
  }
  RETURN_IF_ERROR(CheckConditions(conditions, old.object().generation(),
                                  old.object().metageneration()));
  if (row) {
    RETURN_IF_ERROR(
        CheckMayGo(bucket.bucket(), old.object(), options_.clock->Now()));
    RETURN_IF_ERROR(Retire(txn, bucket, old, freed));
  }

  const Timestamp now = ToMillis(options_.clock->Now());
  object.set_generation(generation);
  object.set_metageneration(1);
  object.clear_time_deleted();
  *object.mutable_time_created() = now;
  *object.mutable_updated() = now;
  *object.mutable_time_finalized() = now;
  *object.mutable_time_storage_class_updated() = now;
  if (object.storage_class().empty()) {
    object.set_storage_class(bucket.bucket().storage_class().empty()
                                 ? "STANDARD"
                                 : bucket.bucket().storage_class());
  }
  if (bucket.bucket().default_event_based_hold() &&
      !object.has_event_based_hold()) {
    object.set_event_based_hold(true);
  }
  object.clear_retention_expiration_time();
  if (bucket.bucket().has_retention_policy()) {
    auto& expires = *object.mutable_retention_expiration_time();
    expires = now;
    expires.set_seconds(expires.seconds() +
                        bucket.bucket().retention_policy().retention_period());
  }
  if (!object.has_customer_encryption() && !object.has_kms_key_name() &&
      bucket.bucket().encryption().has_default_kms_key_name()) {
    object.set_kms_key_name(
        bucket.bucket().encryption().default_kms_key_name() +
        "/cryptoKeyVersions/1");
  }
  RETURN_IF_ERROR(SetObjectAcl(bucket.bucket(), predefined_acl, object));
  return txn.Put(key, record.SerializeAsString());
}

absl::StatusOr<Object> ObjectStore::Insert(InsertRequest request,
                                           Payload payload) {
  Object& object = request.object;
  RETURN_IF_ERROR(CheckObjectName(object.name()));
  RETURN_IF_ERROR(CheckChecksums(object, payload));
  if (object.has_storage_class() && !IsStorageClass(object.storage_class())) {
    return Invalid("Invalid argument.");
  }
  object.set_size(payload.size());
  object.set_crc32c(Crc32cToText(payload.crc32c()));
  object.clear_md5_hash();
  if (payload.md5()) object.set_md5_hash(base::Base64Encode(*payload.md5()));

  ObjectRecord written;
  bool freed = false;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        // A number per try, so that of two writers the one which commits
        // later has the later one.
        ASSIGN_OR_RETURN(const int64_t generation,
                         options_.generations->Next());
        ObjectRecord record;
        *record.mutable_object() = object;
        record.set_blob_id(payload.blob());
        record.set_bytes_id(generation);
        RETURN_IF_ERROR(Place(txn, request.conditions, request.predefined_acl,
                              generation, record, freed));
        if (payload.blob().empty()) {
          RETURN_IF_ERROR(txn.Put(BytesKey(generation), payload.bytes()));
        } else {
          RETURN_IF_ERROR(options_.blobs->AddReference(txn, payload.blob()));
        }
        if (request.also) RETURN_IF_ERROR(request.also(txn, record.object()));
        written = std::move(record);
        return absl::OkStatus();
      }));
  payload.Release();
  if (freed) options_.freed();
  return std::move(*written.mutable_object());
}

absl::StatusOr<Object> ObjectStore::Get(std::string_view bucket,
                                        std::string_view name,
                                        int64_t generation,
                                        const Conditions& conditions) {
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  ASSIGN_OR_RETURN(FoundObject found,
                   FindObject(*reader, bucket, name, generation, true));
  Object& object = *found.record.mutable_object();
  RETURN_IF_ERROR(CheckConditions(conditions, object.generation(),
                                  object.metageneration()));
  return std::move(object);
}

absl::StatusOr<OpenedObject> ObjectStore::Open(std::string_view bucket,
                                               std::string_view name,
                                               int64_t generation,
                                               const Conditions& conditions) {
  // Between the row and the file a writer may replace both; then once more.
  for (int tries = 0;; ++tries) {
    const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
    ASSIGN_OR_RETURN(FoundObject found,
                     FindObject(*reader, bucket, name, generation, true));
    OpenedObject opened;
    opened.object = std::move(*found.record.mutable_object());
    RETURN_IF_ERROR(CheckConditions(conditions, opened.object.generation(),
                                    opened.object.metageneration()));
    if (found.record.blob_id().empty()) {
      ASSIGN_OR_RETURN(std::optional<std::string> bytes,
                       reader->Get(BytesKey(found.record.bytes_id())));
      if (!bytes) {
        return absl::DataLossError(
            base::StrCat("read bytes of object '", name, "': no such row"));
      }
      opened.bytes = *std::move(bytes);
      return opened;
    }
    absl::StatusOr<store::BlobStore::Opened> file =
        options_.blobs->Open(found.record.blob_id());
    if (!file.ok()) {
      if (absl::IsNotFound(file.status()) && tries < 8) continue;
      return file.status();
    }
    opened.file = *std::move(file);
    return opened;
  }
}

absl::StatusOr<ListReply> ObjectStore::List(const ListRequest& request) {
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  ASSIGN_OR_RETURN(const std::optional<std::string> bucket,
                   reader->Get(BucketKey(request.bucket)));
  if (!bucket) return NoSuchBucket();
  return ListObjects(*reader, request);
}

absl::StatusOr<Object> ObjectStore::Update(std::string_view bucket,
                                           std::string_view name,
                                           int64_t generation,
                                           const Conditions& conditions,
                                           const ObjectChange& change) {
  Object changed;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(FoundObject found,
                         FindObject(txn, bucket, name, generation, true));
        RETURN_IF_ERROR(txn.GetForUpdate(found.key).status());
        Object& object = *found.record.mutable_object();
        RETURN_IF_ERROR(CheckConditions(conditions, object.generation(),
                                        object.metageneration()));
        const std::string storage_class = object.storage_class();
        RETURN_IF_ERROR(change(object));
        const Timestamp now = ToMillis(options_.clock->Now());
        object.set_metageneration(object.metageneration() + 1);
        *object.mutable_updated() = now;
        if (object.storage_class() != storage_class) {
          *object.mutable_time_storage_class_updated() = now;
        }
        changed = object;
        return txn.Put(found.key, found.record.SerializeAsString());
      }));
  return changed;
}

absl::Status ObjectStore::Delete(std::string_view bucket, std::string_view name,
                                 int64_t generation,
                                 const Conditions& conditions) {
  bool freed = false;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> bucket_row,
                         txn.GetForUpdate(BucketKey(bucket)));
        ASSIGN_OR_RETURN(const BucketRecord parent, ParseBucketRow(bucket_row));
        ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(txn, bucket, name, generation, false));
        RETURN_IF_ERROR(txn.GetForUpdate(found.key).status());
        const Object& object = found.record.object();
        RETURN_IF_ERROR(CheckConditions(conditions, object.generation(),
                                        object.metageneration()));
        RETURN_IF_ERROR(
            CheckMayGo(parent.bucket(), object, options_.clock->Now()));
        if (generation == 0) {
          RETURN_IF_ERROR(Retire(txn, parent, found.record, freed));
        } else {
          RETURN_IF_ERROR(DropBytes(txn, found.record, freed));
        }
        return txn.Delete(found.key);
      }));
  if (freed) options_.freed();
  return absl::OkStatus();
}

}  // namespace brume::services::storage
