#include "services/storage/object_rows.h"

#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/keys.h"
#include "services/storage/storage_errors.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

namespace brume::services::storage {
namespace {

using brume::storage::BucketRecord;
using brume::storage::Object;
using brume::storage::ObjectRecord;
using google::protobuf::Timestamp;

absl::Time FromProto(const Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

}  // namespace

Timestamp ToMillis(absl::Time time) {
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
      absl::ToUnixMillis(time));
}

absl::StatusOr<BucketRecord> ParseBucketRow(
    const std::optional<std::string>& row) {
  if (!row) return NoSuchBucket();
  BucketRecord record;
  if (!record.ParseFromString(*row)) {
    return absl::DataLossError("read bucket record: malformed");
  }
  return record;
}

absl::StatusOr<ObjectRecord> ParseObjectRow(const std::string& row) {
  ObjectRecord record;
  if (!record.ParseFromString(row)) {
    return absl::DataLossError("read object record: malformed");
  }
  return record;
}

absl::StatusOr<FoundObject> FindObject(store::KvReader& reader,
                                       std::string_view bucket,
                                       std::string_view name,
                                       int64_t generation,
                                       bool bucket_must_exist) {
  FoundObject found;
  found.key = ObjectKey(bucket, name);
  ASSIGN_OR_RETURN(std::optional<std::string> row, reader.Get(found.key));
  if (row) {
    ASSIGN_OR_RETURN(found.record, ParseObjectRow(*row));
    if (generation == 0 || found.record.object().generation() == generation) {
      found.live = true;
      return found;
    }
  }
  if (generation != 0) {
    found.key = NoncurrentKey(bucket, name, generation);
    ASSIGN_OR_RETURN(row, reader.Get(found.key));
    if (row) {
      ASSIGN_OR_RETURN(found.record, ParseObjectRow(*row));
      return found;
    }
  }
  if (bucket_must_exist) {
    ASSIGN_OR_RETURN(row, reader.Get(BucketKey(bucket)));
    if (!row) return NoSuchBucket();
  }
  return NoSuchObject(bucket, name);
}

absl::Status CheckMayGo(const brume::storage::Bucket& bucket,
                        const Object& object, absl::Time now) {
  if (object.temporary_hold()) {
    return HeldObject(object.bucket(), object.name(), "Temporary");
  }
  if (object.event_based_hold()) {
    return HeldObject(object.bucket(), object.name(), "Event-Based");
  }
  absl::Time until = absl::InfinitePast();
  if (bucket.has_retention_policy()) {
    until = FromProto(object.time_created()) +
            absl::Seconds(bucket.retention_policy().retention_period());
  }
  if (object.has_retention()) {
    until = std::max(until, FromProto(object.retention().retain_until_time()));
  }
  if (until <= now) return absl::OkStatus();
  return RetentionPolicyNotMet(base::StrCat(
      "Object '", object.bucket(), "/", object.name(),
      "' is subject to bucket's retention policy or object retention and "
      "cannot be deleted or overwritten until ",
      base::FormatTime(until, base::Fraction::kMillis)));
}

}  // namespace brume::services::storage
