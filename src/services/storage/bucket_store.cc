#include "services/storage/bucket_store.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "services/storage/keys.h"
#include "services/storage/names.h"
#include "services/storage/preconditions.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/ascii.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace brume::services::storage {
namespace {

using brume::storage::Bucket;
using brume::storage::BucketRecord;
using brume::storage::Conditions;
using google::protobuf::Timestamp;

constexpr int64_t kSoftDeleteSeconds = 604800;  // a week

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

std::string_view LocationType(std::string_view location) {
  constexpr std::array<std::string_view, 3> kMulti = {"US", "EU", "ASIA"};
  constexpr std::array<std::string_view, 6> kDual = {"NAM4", "EUR4", "EUR5",
                                                     "EUR7", "EUR8", "ASIA1"};
  if (std::count(kMulti.begin(), kMulti.end(), location)) return "multi-region";
  if (std::count(kDual.begin(), kDual.end(), location)) return "dual-region";
  return "region";
}

// What the documentation gives a bucket that says nothing of it.
void SetDefaults(Bucket& bucket, const Timestamp& now) {
  bucket.set_location(bucket.location().empty()
                          ? "US"
                          : absl::AsciiStrToUpper(bucket.location()));
  bucket.set_location_type(std::string(LocationType(bucket.location())));
  if (bucket.storage_class().empty()) bucket.set_storage_class("STANDARD");
  auto& iam = *bucket.mutable_iam_configuration();
  if (!iam.has_public_access_prevention()) {
    iam.set_public_access_prevention("inherited");
  }
  auto& uniform = *iam.mutable_uniform_bucket_level_access();
  // The former name of the same switch; gsutil still uses it.
  const bool enabled = uniform.enabled() || iam.bucket_policy_only().enabled();
  uniform.set_enabled(enabled);
  uniform.clear_locked_time();
  if (enabled) {
    // Reversible for 90 days.
    *uniform.mutable_locked_time() = now;
    uniform.mutable_locked_time()->set_seconds(now.seconds() + 90 * 86400);
  }
  *iam.mutable_bucket_policy_only() = uniform;
  if (!bucket.has_soft_delete_policy()) {
    bucket.mutable_soft_delete_policy()->set_retention_duration_seconds(
        kSoftDeleteSeconds);
  }
  *bucket.mutable_soft_delete_policy()->mutable_effective_time() = now;
  if (bucket.has_retention_policy()) {
    *bucket.mutable_retention_policy()->mutable_effective_time() = now;
  }
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

absl::StatusOr<BucketRecord> BucketStore::Insert(Bucket bucket,
                                                 std::string_view project_id,
                                                 uint64_t project_number) {
  RETURN_IF_ERROR(CheckBucketName(bucket.name()));
  const absl::Time now = options_.clock->Now();
  SetDefaults(bucket, ToProto(now));
  bucket.set_project_number(project_number);
  bucket.set_generation(absl::ToUnixMicros(now));
  bucket.set_metageneration(1);
  *bucket.mutable_time_created() = ToProto(now);
  *bucket.mutable_updated() = ToProto(now);

  BucketRecord record;
  *record.mutable_bucket() = std::move(bucket);
  record.set_project_id(std::string(project_id));
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
        Bucket& bucket = *record.mutable_bucket();
        RETURN_IF_ERROR(CheckConditions(conditions, bucket.generation(),
                                        bucket.metageneration()));
        RETURN_IF_ERROR(change(record));
        bucket.set_metageneration(bucket.metageneration() + 1);
        *bucket.mutable_updated() = ToProto(options_.clock->Now());
        changed = record;
        return txn.Put(BucketKey(name), record.SerializeAsString());
      }));
  return changed;
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
