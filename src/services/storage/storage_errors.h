#pragma once

#include <absl/status/status.h>

#include <string_view>

// Cloud Storage's errors in its own words. The reason ("notFound") and, where
// the API gives one, the HTTP status and location ride along as
// google.rpc.ErrorInfo with domain "global"; api/storage puts them on the wire.
namespace brume::services::storage {

absl::Status NoSuchBucket();
absl::Status NoSuchObject(std::string_view bucket, std::string_view object);
absl::Status NoSuchUpload();
absl::Status BucketExists(bool own_project);
absl::Status BucketNotEmpty();
// 412; `header` is "If-Match" or "If-None-Match".
absl::Status ConditionNotMet(std::string_view header);
// 400, reason "invalid".
absl::Status Invalid(std::string_view message);
// 400, reason "required".
absl::Status Required(std::string_view message);
// 403, reason "forbidden": holds and retention.
absl::Status HeldObject(std::string_view bucket, std::string_view object,
                        std::string_view hold);
// 403, reason "retentionPolicyNotMet".
absl::Status RetentionPolicyNotMet(std::string_view message);
// 400 with a reason of its own.
absl::Status BadRequest(std::string_view reason, std::string_view message);

}  // namespace brume::services::storage
