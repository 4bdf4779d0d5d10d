#include "services/storage/bucket_store.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/access.h"
#include "services/storage/bucket_fields.h"
#include "services/storage/etags.h"
#include "services/storage/keys.h"
#include "services/storage/names.h"
#include "services/storage/preconditions.h"
#include "services/storage/storage_errors.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/time_util.h>
#include <google/protobuf/wire_format_lite.h>

#include <memory>
#include <optional>
#include <utility>

namespace brume::services::storage {
namespace {

using brume::storage::Bucket;
using brume::storage::BucketRecord;
using brume::storage::Conditions;
using google::protobuf::Timestamp;

Timestamp ToProto(absl::Time time) {
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
      absl::ToUnixMillis(time));
}

absl::StatusOr<BucketRecord> Parse(const std::string& row) {
  BucketRecord record;
  if (!record.ParseFromString(row)) {
    return absl::DataLossError("read bucket record: malformed");
  }
  return record;
}

// The lists and the owner of a new bucket.
absl::Status SetAccess(const BucketStore::InsertRequest& request,
                       Bucket& bucket) {
  const uint64_t number = request.project_number;
  if (IsUniform(bucket)) {
    if (!request.predefined_acl.empty() ||
        !request.predefined_default_object_acl.empty() ||
        bucket.acl_size() > 0 || bucket.default_object_acl_size() > 0) {
      return AclsAreOff("insert", "a bucket");
    }
    return absl::OkStatus();
  }
  for (auto& entry : *bucket.mutable_acl()) {
    RETURN_IF_ERROR(CompleteEntry(entry, true));
  }
  for (auto& entry : *bucket.mutable_default_object_acl()) {
    RETURN_IF_ERROR(CompleteEntry(entry, false));
  }
  if (bucket.acl_size() == 0 || !request.predefined_acl.empty()) {
    ASSIGN_OR_RETURN(*bucket.mutable_acl(),
                     PredefinedBucketAcl(request.predefined_acl.empty()
                                             ? "projectPrivate"
                                             : request.predefined_acl,
                                         number));
  }
  if (bucket.default_object_acl_size() == 0 ||
      !request.predefined_default_object_acl.empty()) {
    ASSIGN_OR_RETURN(
        *bucket.mutable_default_object_acl(),
        PredefinedObjectAcl(request.predefined_default_object_acl.empty()
                                ? "projectPrivate"
                                : request.predefined_default_object_acl,
                            number, ""));
  }
  bucket.mutable_owner()->set_entity(base::StrCat("project-owners-", number));
  return absl::OkStatus();
}

// The project of a bucket's row, without parsing the rest: every call on an
// object asks.
absl::StatusOr<std::optional<std::string>> ProjectIdOf(const std::string& row) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in(
      reinterpret_cast<const uint8_t*>(row.data()),
      static_cast<int>(row.size()));
  while (const uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagFieldNumber(tag) !=
        BucketRecord::kProjectIdFieldNumber) {
      if (!WireFormatLite::SkipField(&in, tag)) break;
      continue;
    }
    std::string project;
    if (!WireFormatLite::ReadString(&in, &project)) break;
    return std::optional<std::string>(std::move(project));
  }
  return absl::DataLossError("read bucket record: no project");
}

absl::StatusOr<bool> IsEmpty(store::KvReader& reader, std::string_view bucket) {
  bool empty = true;
  for (std::string_view table : {"storage.object", "storage.noncurrent"}) {
    RETURN_IF_ERROR(reader.Scan(ObjectsWithPrefix(table, bucket, ""),
                                [&empty](std::string_view, std::string_view) {
                                  empty = false;
                                  return false;
                                }));
  }
  return empty;
}

}  // namespace

absl::StatusOr<BucketRecord> BucketStore::Insert(InsertRequest request) {
  Bucket& bucket = request.bucket;
  const std::string& project_id = request.project_id;
  RETURN_IF_ERROR(CheckBucketName(bucket.name()));
  const absl::Time now = options_.clock->Now();
  RETURN_IF_ERROR(CompleteNewBucket(bucket, now));
  RETURN_IF_ERROR(SetAccess(request, bucket));
  if (request.object_retention) {
    bucket.mutable_object_retention()->set_mode("Enabled");
  }
  bucket.set_project_number(request.project_number);
  bucket.set_generation(absl::ToUnixMicros(now));
  bucket.set_metageneration(1);
  *bucket.mutable_time_created() = ToProto(now);
  *bucket.mutable_updated() = ToProto(now);

  BucketRecord record;
  *record.mutable_bucket() = std::move(bucket);
  record.set_project_id(project_id);
  *record.mutable_policy() = DefaultPolicy(project_id);
  record.set_policy_generation(1);
  const std::string& name = record.bucket().name();
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> row,
                         txn.GetForUpdate(BucketKey(name)));
        if (row) {
          ASSIGN_OR_RETURN(const BucketRecord old, Parse(*row));
          return BucketExists(old.project_id() == project_id);
        }
        RETURN_IF_ERROR(txn.Put(ProjectBucketKey(project_id, name), ""));
        return txn.Put(BucketKey(name), record.SerializeAsString());
      }));
  return record;
}

absl::StatusOr<BucketRecord> BucketStore::Get(std::string_view name,
                                              const Conditions& conditions) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   options_.kv->Get(BucketKey(name)));
  if (!row) return NoSuchBucket();
  ASSIGN_OR_RETURN(BucketRecord record, Parse(*row));
  RETURN_IF_ERROR(CheckConditions(conditions, record.bucket().generation(),
                                  record.bucket().metageneration()));
  return record;
}

absl::StatusOr<std::optional<std::string>> BucketStore::ProjectOf(
    std::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   options_.kv->Get(BucketKey(name)));
  if (!row) return std::optional<std::string>();
  return ProjectIdOf(*row);
}

absl::StatusOr<BucketStore::Page> BucketStore::List(
    std::string_view project_id, std::string_view prefix, size_t max_results,
    std::string_view page_token) {
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  store::KeyRange range = ProjectBuckets(project_id);
  if (!page_token.empty()) {
    const std::optional<std::string> last = base::Base64Decode(page_token);
    if (!last || last->empty()) return Invalid("Invalid Value");
    range.begin = ProjectBucketKey(project_id, *last) + '\0';
  }
  std::vector<std::string> names;
  bool parsed = true;
  RETURN_IF_ERROR(
      reader->Scan(range, [&](std::string_view key, std::string_view) {
        store::KeyParser parser(key);
        const auto table = parser.Next();
        const auto project = parser.Next();
        std::optional<std::string> name = parser.Next();
        parsed = table && project && name.has_value();
        if (!parsed) return false;
        if (std::string_view(*name).substr(0, prefix.size()) == prefix) {
          names.push_back(*std::move(name));
        }
        return names.size() <= max_results;
      }));
  if (!parsed) return absl::DataLossError("read bucket index: malformed key");

  Page page;
  for (const std::string& name : names) {
    if (page.buckets.size() == max_results) {
      page.next_page_token =
          base::Base64Encode(page.buckets.back().bucket().name());
      break;
    }
    ASSIGN_OR_RETURN(const std::optional<std::string> row,
                     reader->Get(BucketKey(name)));
    if (!row) return absl::DataLossError("read bucket record: no such row");
    ASSIGN_OR_RETURN(BucketRecord record, Parse(*row));
    page.buckets.push_back(std::move(record));
  }
  return page;
}

absl::StatusOr<BucketRecord> BucketStore::Update(std::string_view name,
                                                 const Conditions& conditions,
                                                 const BucketChange& change) {
  BucketRecord changed;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> row,
                         txn.GetForUpdate(BucketKey(name)));
        if (!row) return NoSuchBucket();
        ASSIGN_OR_RETURN(BucketRecord record, Parse(*row));
        const Bucket before = record.bucket();
        RETURN_IF_ERROR(CheckConditions(conditions, before.generation(),
                                        before.metageneration()));
        RETURN_IF_ERROR(change(record));
        Bucket& bucket = *record.mutable_bucket();
        RETURN_IF_ERROR(
            CompleteChangedBucket(before, bucket, options_.clock->Now()));
        for (auto& entry : *bucket.mutable_acl()) {
          RETURN_IF_ERROR(CompleteEntry(entry, true));
        }
        for (auto& entry : *bucket.mutable_default_object_acl()) {
          RETURN_IF_ERROR(CompleteEntry(entry, false));
        }
        if (IsUniform(bucket)) {
          bucket.clear_acl();
          bucket.clear_default_object_acl();
          bucket.clear_owner();
        } else if (IsUniform(before)) {
          // Turned off again: the lists start anew.
          RETURN_IF_ERROR(
              SetAccess({.project_number = bucket.project_number()}, bucket));
        }
        changed = record;
        return txn.Put(BucketKey(name), record.SerializeAsString());
      }));
  return changed;
}

absl::StatusOr<BucketRecord> BucketStore::SetPolicy(
    std::string_view name, const google::iam::v1::Policy& policy,
    std::optional<std::string> etag) {
  BucketRecord changed;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> row,
                         txn.GetForUpdate(BucketKey(name)));
        if (!row) return NoSuchBucket();
        ASSIGN_OR_RETURN(BucketRecord record, Parse(*row));
        if (etag && *etag != PolicyEtag(record)) {
          return ConditionNotMet("If-Match");
        }
        *record.mutable_policy() = policy;
        record.set_policy_generation(record.policy_generation() + 1);
        changed = record;
        return txn.Put(BucketKey(name), record.SerializeAsString());
      }));
  return changed;
}

std::string PolicyEtag(const BucketRecord& record) {
  return EtagOf(record.policy_generation());
}

absl::Status BucketStore::Delete(std::string_view name,
                                 const Conditions& conditions) {
  return options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<std::string> row,
                     txn.GetForUpdate(BucketKey(name)));
    if (!row) return NoSuchBucket();
    ASSIGN_OR_RETURN(const BucketRecord record, Parse(*row));
    RETURN_IF_ERROR(CheckConditions(conditions, record.bucket().generation(),
                                    record.bucket().metageneration()));
    ASSIGN_OR_RETURN(const bool empty, IsEmpty(txn, name));
    if (!empty) return BucketNotEmpty();
    RETURN_IF_ERROR(txn.Delete(ProjectBucketKey(record.project_id(), name)));
    return txn.Delete(BucketKey(name));
  });
}

}  // namespace brume::services::storage
