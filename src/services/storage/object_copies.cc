#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/checksums.h"
#include "services/storage/keys.h"
#include "services/storage/names.h"
#include "services/storage/object_rows.h"
#include "services/storage/object_store.h"
#include "services/storage/preconditions.h"
#include "services/storage/storage_errors.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

// Objects made of other objects, and their access control lists.
namespace brume::services::storage {
namespace {

using brume::storage::BucketRecord;
using brume::storage::Conditions;
using brume::storage::Object;
using brume::storage::ObjectRecord;

constexpr size_t kMostSources = 32;
constexpr size_t kPiece = 1 << 20;

// Appends an opened object's bytes.
absl::Status AppendObject(const OpenedObject& opened, PayloadWriter& writer) {
  if (!opened.file) return writer.AppendUnhashed(opened.bytes);
  std::string piece(std::min<uint64_t>(kPiece, opened.file->size), '\0');
  uint64_t offset = 0;
  while (offset < opened.file->size) {
    const ssize_t got = ::pread(opened.file->fd.get(), piece.data(),
                                piece.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return absl::DataLossError(base::StrCat("read object '",
                                              opened.object.name(), "' at ",
                                              offset, ": bytes are missing"));
    }
    RETURN_IF_ERROR(writer.AppendUnhashed(
        std::string_view(piece.data(), static_cast<size_t>(got))));
    offset += static_cast<uint64_t>(got);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Object> ObjectStore::Copy(const CopyRequest& request) {
  RETURN_IF_ERROR(CheckObjectName(request.object));
  Object copied;
  bool freed = false;
  RETURN_IF_ERROR(options_.kv->Transact([&](store::KvTransaction& txn)
                                            -> absl::Status {
    ASSIGN_OR_RETURN(
        const FoundObject source,
        FindObject(txn, request.source_bucket, request.source_object,
                   request.source_generation, true));
    // Its bytes must still be there at commit.
    RETURN_IF_ERROR(txn.GetForUpdate(source.key).status());
    const Object& from = source.record.object();
    RETURN_IF_ERROR(CheckConditions(request.source_conditions,
                                    from.generation(), from.metageneration()));
    if (request.source_check) RETURN_IF_ERROR(request.source_check(from));
    ASSIGN_OR_RETURN(const int64_t generation, options_.generations->Next());
    ObjectRecord record = source.record;
    record.set_bytes_id(generation);
    Object& object = *record.mutable_object();
    object.set_bucket(request.bucket);
    object.set_name(request.object);
    // Lists and holds are not copied.
    object.clear_acl();
    object.clear_temporary_hold();
    object.clear_event_based_hold();
    object.clear_retention();
    if (request.change) RETURN_IF_ERROR(request.change(object));
    // The new reference first: the source may be what Place retires.
    if (record.blob_id().empty()) {
      ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                       txn.Get(BytesKey(source.record.bytes_id())));
      if (!bytes) return absl::DataLossError("read object bytes: no row");
      RETURN_IF_ERROR(txn.Put(BytesKey(generation), *bytes));
    } else {
      RETURN_IF_ERROR(options_.blobs->AddReference(txn, record.blob_id()));
    }
    RETURN_IF_ERROR(Place(txn, request.conditions, request.predefined_acl,
                          generation, record, freed));
    if (request.move) {
      ASSIGN_OR_RETURN(const std::optional<std::string> row,
                       txn.GetForUpdate(BucketKey(request.source_bucket)));
      ASSIGN_OR_RETURN(const BucketRecord bucket, ParseBucketRow(row));
      RETURN_IF_ERROR(CheckMayGo(bucket.bucket(), from, options_.clock->Now()));
      RETURN_IF_ERROR(Retire(txn, bucket, source.record, freed));
      RETURN_IF_ERROR(txn.Delete(source.key));
    }
    copied = object;
    return absl::OkStatus();
  }));
  if (freed) options_.freed();
  return copied;
}

absl::StatusOr<Object> ObjectStore::Compose(const ComposeRequest& request) {
  if (request.sources.empty()) {
    return Required("You must provide at least one source component.");
  }
  if (request.sources.size() > kMostSources) {
    return Invalid(base::StrCat("The number of source components provided (",
                                request.sources.size(),
                                ") exceeds the maximum (", kMostSources, ")"));
  }
  PayloadWriter writer(options_.blobs);
  uint32_t crc = 0;
  int32_t components = 0;
  Object object = request.object;
  for (const ComposeRequest::Source& source : request.sources) {
    ASSIGN_OR_RETURN(const OpenedObject opened,
                     Open(object.bucket(), source.name, source.generation,
                          source.conditions));
    if (request.source_check) {
      RETURN_IF_ERROR(request.source_check(opened.object));
    }
    ASSIGN_OR_RETURN(const uint32_t part_crc,
                     Crc32cFromText(opened.object.crc32c()));
    crc = Crc32cCombine(crc, part_crc, opened.object.size());
    components += opened.object.has_component_count()
                      ? opened.object.component_count()
                      : 1;
    if (!object.has_storage_class()) {
      object.set_storage_class(opened.object.storage_class());
    }
    RETURN_IF_ERROR(AppendObject(opened, writer));
  }
  object.set_component_count(components);
  ASSIGN_OR_RETURN(Payload payload, writer.FinishComposite(crc));
  return Insert({.object = std::move(object),
                 .conditions = request.conditions,
                 .predefined_acl = request.predefined_acl},
                std::move(payload));
}

absl::StatusOr<Acl> ObjectStore::GetAcl(const Object& object) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   options_.kv->Get(BucketKey(object.bucket())));
  ASSIGN_OR_RETURN(const BucketRecord bucket, ParseBucketRow(row));
  if (IsUniform(bucket.bucket())) return AclsAreOff("get", "an object");
  return ObjectAcl(bucket.bucket(), object);
}

absl::StatusOr<Object> ObjectStore::UpdateAcl(
    std::string_view bucket, std::string_view name, int64_t generation,
    const Conditions& conditions,
    const std::function<absl::Status(Acl&)>& change) {
  return Update(bucket, name, generation, conditions,
                [&](Object& object) -> absl::Status {
                  ASSIGN_OR_RETURN(Acl acl, GetAcl(object));
                  RETURN_IF_ERROR(change(acl));
                  for (auto& entry : acl) {
                    RETURN_IF_ERROR(CompleteEntry(entry, false));
                  }
                  *object.mutable_acl() = acl;
                  return absl::OkStatus();
                });
}

}  // namespace brume::services::storage
