#pragma once

#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <brume/storage/bucket.pb.h>
#include <brume/storage/object.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Rows of buckets and objects, as records; for the object store alone.
namespace brume::services::storage {

// The API shows milliseconds.
google::protobuf::Timestamp ToMillis(absl::Time time);

// NoSuchBucket when there is no row.
absl::StatusOr<brume::storage::BucketRecord> ParseBucketRow(
    const std::optional<std::string>& row);
absl::StatusOr<brume::storage::ObjectRecord> ParseObjectRow(
    const std::string& row);

struct FoundObject {
  std::string key;
  brume::storage::ObjectRecord record;
  bool live = false;
};
// The object's row of that generation (0: the live one). When there is none:
// NoSuchObject, or NoSuchBucket if `bucket_must_exist` and it does not.
absl::StatusOr<FoundObject> FindObject(store::KvReader& reader,
                                       std::string_view bucket,
                                       std::string_view name,
                                       int64_t generation,
                                       bool bucket_must_exist);

// 403 while a hold or a retention keeps the object.
absl::Status CheckMayGo(const brume::storage::Bucket& bucket,
                        const brume::storage::Object& object, absl::Time now);

}  // namespace brume::services::storage
