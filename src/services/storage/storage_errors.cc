#include "services/storage/storage_errors.h"

#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <map>
#include <string>

namespace brume::services::storage {
namespace {

absl::Status Make(absl::StatusCode code, std::string_view message,
                  std::string_view reason,
                  const std::map<std::string, std::string>& more = {}) {
  return WithReason(absl::Status(code, base::ToAbsl(message)), reason, "global",
                    more);
}

}  // namespace

absl::Status NoSuchBucket() {
  return Make(absl::StatusCode::kNotFound,
              "The specified bucket does not exist.", "notFound");
}

absl::Status NoSuchObject(std::string_view bucket, std::string_view object) {
  return Make(absl::StatusCode::kNotFound,
              base::StrCat("No such object: ", bucket, "/", object),
              "notFound");
}

absl::Status NoSuchUpload() {
  return Make(absl::StatusCode::kNotFound,
              "The requested upload session does not exist.", "notFound");
}

absl::Status BucketExists(bool own_project) {
  return Make(
      absl::StatusCode::kAlreadyExists,
      own_project
          ? "Your previous request to create the named bucket succeeded and "
            "you already own it."
          : "The requested bucket name is not available. The bucket namespace "
            "is shared by all users of the system. Please select a different "
            "name and try again.",
      "conflict");
}

absl::Status BucketNotEmpty() {
  return Make(absl::StatusCode::kFailedPrecondition,
              "The bucket you tried to delete is not empty.", "conflict",
              {{"httpStatus", "409"}});
}

absl::Status ConditionNotMet(std::string_view header) {
  return Make(absl::StatusCode::kFailedPrecondition,
              "At least one of the pre-conditions you specified did not hold.",
              "conditionNotMet",
              {{"httpStatus", "412"},
               {"locationType", "header"},
               {"location", std::string(header)}});
}

absl::Status Invalid(std::string_view message) {
  return Make(absl::StatusCode::kInvalidArgument, message, "invalid");
}

absl::Status Required(std::string_view message) {
  return Make(absl::StatusCode::kInvalidArgument, message, "required");
}

absl::Status RetentionPolicyNotMet(std::string_view message) {
  return Make(absl::StatusCode::kPermissionDenied, message,
              "retentionPolicyNotMet");
}

absl::Status BadRequest(std::string_view reason, std::string_view message) {
  return Make(absl::StatusCode::kInvalidArgument, message, reason);
}

absl::Status HeldObject(std::string_view bucket, std::string_view object,
                        std::string_view hold) {
  return Make(
      absl::StatusCode::kPermissionDenied,
      base::StrCat("Object '", bucket, "/", object, "' is under active ", hold,
                   " hold and cannot be deleted, overwritten or "
                   "archived until hold is removed."),
      "forbidden");
}

}  // namespace brume::services::storage
