#include "services/storage/bucket_fields.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/access.h"
#include "services/storage/locations.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/ascii.h>
#include <google/protobuf/util/time_util.h>

#include <string>

namespace brume::services::storage {
namespace {

using brume::storage::Bucket;
using google::protobuf::Timestamp;

constexpr int64_t kWeek = 7 * 86400;
constexpr int64_t kLongestSoftDelete = 90 * 86400;
constexpr int64_t kLongestRetention = 3'155'760'000;  // 100 years
// How long uniform access can be turned off again.
constexpr int64_t kUniformReversible = 90 * 86400;

Timestamp ToProto(absl::Time time) {
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
      absl::ToUnixMillis(time));
}

absl::Status CheckValues(const Bucket& bucket) {
  if (!IsStorageClass(bucket.storage_class())) {
    return Invalid("Invalid argument.");
  }
  const auto& pap = bucket.iam_configuration().public_access_prevention();
  if (!pap.empty() && pap != "inherited" && pap != "enforced" &&
      pap != "unspecified") {
    return Invalid(
        base::StrCat("Invalid value for public access prevention: ", pap));
  }
  if (bucket.has_retention_policy()) {
    const int64_t period = bucket.retention_policy().retention_period();
    if (period <= 0 || period > kLongestRetention) {
      return Invalid(
          "The retention period must be between 1 second and 100 years.");
    }
    if (bucket.versioning().enabled()) {
      return Invalid(
          "Retention policies and object versioning cannot be enabled "
          "simultaneously.");
    }
  }
  const int64_t soft = bucket.soft_delete_policy().retention_duration_seconds();
  if (soft != 0 && (soft < kWeek || soft > kLongestSoftDelete)) {
    return Invalid(
        "Soft delete policy retention duration must be 0 or between 7 and 90 "
        "days.");
  }
  if (bucket.labels_size() > 64) {
    return Invalid("The number of labels exceeds the limit of 64.");
  }
  return absl::OkStatus();
}

// The former name of uniform access is the same switch; the one that differs
// from before is meant.
void SettleUniform(const Bucket* before, Bucket& bucket, absl::Time now) {
  auto& iam = *bucket.mutable_iam_configuration();
  const bool was = before != nullptr && IsUniform(*before);
  const bool next = iam.uniform_bucket_level_access().enabled();
  const bool next_alias = iam.bucket_policy_only().enabled();
  bool enabled = next;
  if (before == nullptr) {
    enabled = next || next_alias;
  } else if (next == was) {
    enabled = next_alias;
  }
  auto& uniform = *iam.mutable_uniform_bucket_level_access();
  uniform.set_enabled(enabled);
  uniform.clear_locked_time();
  if (enabled && was) {
    *uniform.mutable_locked_time() =
        before->iam_configuration().uniform_bucket_level_access().locked_time();
  } else if (enabled) {
    *uniform.mutable_locked_time() =
        ToProto(now + absl::Seconds(kUniformReversible));
  }
  *iam.mutable_bucket_policy_only() = uniform;
  if (!iam.has_public_access_prevention() ||
      iam.public_access_prevention() == "unspecified") {
    iam.set_public_access_prevention("inherited");
  }
}

void SettleAutoclass(const Bucket* before, Bucket& bucket, absl::Time now) {
  if (!bucket.has_autoclass()) return;
  auto& autoclass = *bucket.mutable_autoclass();
  const bool was = before != nullptr && before->autoclass().enabled();
  if (before == nullptr || !before->has_autoclass() ||
      was != autoclass.enabled()) {
    *autoclass.mutable_toggle_time() = ToProto(now);
  } else {
    *autoclass.mutable_toggle_time() = before->autoclass().toggle_time();
  }
  if (!autoclass.enabled()) {
    autoclass.clear_terminal_storage_class();
    autoclass.clear_terminal_storage_class_update_time();
    return;
  }
  if (!autoclass.has_terminal_storage_class()) {
    autoclass.set_terminal_storage_class("NEARLINE");
  }
  if (was && before->autoclass().terminal_storage_class() ==
                 autoclass.terminal_storage_class()) {
    *autoclass.mutable_terminal_storage_class_update_time() =
        before->autoclass().terminal_storage_class_update_time();
  } else {
    *autoclass.mutable_terminal_storage_class_update_time() = ToProto(now);
  }
}

absl::Status SettleRetention(const Bucket* before, Bucket& bucket,
                             absl::Time now) {
  const bool had = before != nullptr && before->has_retention_policy();
  const bool locked = had && before->retention_policy().is_locked();
  if (locked && (!bucket.has_retention_policy() ||
                 bucket.retention_policy().retention_period() <
                     before->retention_policy().retention_period())) {
    return RetentionPolicyNotMet(
        base::StrCat("Cannot reduce or remove a locked retention policy of "
                     "bucket '",
                     bucket.name(), "'."));
  }
  if (!bucket.has_retention_policy()) return absl::OkStatus();
  auto& policy = *bucket.mutable_retention_policy();
  policy.clear_is_locked();
  if (locked) policy.set_is_locked(true);
  *policy.mutable_effective_time() =
      had ? before->retention_policy().effective_time() : ToProto(now);
  return absl::OkStatus();
}

void SettleSoftDelete(const Bucket* before, Bucket& bucket, absl::Time now) {
  if (!bucket.has_soft_delete_policy() ||
      !bucket.soft_delete_policy().has_retention_duration_seconds()) {
    bucket.mutable_soft_delete_policy()->set_retention_duration_seconds(kWeek);
  }
  auto& policy = *bucket.mutable_soft_delete_policy();
  if (before != nullptr && before->has_soft_delete_policy() &&
      before->soft_delete_policy().retention_duration_seconds() ==
          policy.retention_duration_seconds()) {
    *policy.mutable_effective_time() =
        before->soft_delete_policy().effective_time();
  } else {
    *policy.mutable_effective_time() = ToProto(now);
  }
}

// Effective times of the encryption rules.
void SettleEncryption(const Bucket* before, Bucket& bucket, absl::Time now) {
  if (!bucket.has_encryption()) return;
  const auto settle = [now](bool has, auto* config, const auto* old) {
    if (!has) return;
    if (old != nullptr &&
        old->restriction_mode() == config->restriction_mode()) {
      *config->mutable_effective_time() = old->effective_time();
    } else {
      *config->mutable_effective_time() = ToProto(now);
    }
  };
  auto& next = *bucket.mutable_encryption();
  const auto* old = before == nullptr ? nullptr : &before->encryption();
  settle(next.has_google_managed_encryption_enforcement_config(),
         next.has_google_managed_encryption_enforcement_config()
             ? next.mutable_google_managed_encryption_enforcement_config()
             : nullptr,
         old == nullptr ? nullptr
                        : &old->google_managed_encryption_enforcement_config());
  settle(next.has_customer_managed_encryption_enforcement_config(),
         next.has_customer_managed_encryption_enforcement_config()
             ? next.mutable_customer_managed_encryption_enforcement_config()
             : nullptr,
         old == nullptr
             ? nullptr
             : &old->customer_managed_encryption_enforcement_config());
  settle(next.has_customer_supplied_encryption_enforcement_config(),
         next.has_customer_supplied_encryption_enforcement_config()
             ? next.mutable_customer_supplied_encryption_enforcement_config()
             : nullptr,
         old == nullptr
             ? nullptr
             : &old->customer_supplied_encryption_enforcement_config());
}

absl::Status Settle(const Bucket* before, Bucket& bucket, absl::Time now) {
  if (bucket.storage_class().empty()) bucket.set_storage_class("STANDARD");
  RETURN_IF_ERROR(CheckValues(bucket));
  SettleUniform(before, bucket, now);
  SettleAutoclass(before, bucket, now);
  RETURN_IF_ERROR(SettleRetention(before, bucket, now));
  SettleSoftDelete(before, bucket, now);
  SettleEncryption(before, bucket, now);
  return absl::OkStatus();
}

}  // namespace

absl::Status CompleteNewBucket(Bucket& bucket, absl::Time now) {
  bucket.set_location(bucket.location().empty()
                          ? "US"
                          : absl::AsciiStrToUpper(bucket.location()));
  std::string_view type = LocationType(bucket.location());
  if (bucket.custom_placement_config().data_locations_size() > 0) {
    type = "dual-region";
  }
  if (type.empty()) {
    return Invalid("The specified location constraint is not valid.");
  }
  bucket.set_location_type(std::string(type));
  if (type == "region") {
    bucket.clear_rpo();
  } else if (bucket.rpo().empty()) {
    bucket.set_rpo("DEFAULT");
  }
  return Settle(nullptr, bucket, now);
}

absl::Status CompleteChangedBucket(const Bucket& before, Bucket& bucket,
                                   absl::Time now) {
  // What a bucket keeps for life; clients send whole resources back.
  bucket.set_name(before.name());
  bucket.set_project_number(before.project_number());
  bucket.set_generation(before.generation());
  bucket.set_location(before.location());
  bucket.set_location_type(before.location_type());
  *bucket.mutable_time_created() = before.time_created();
  if (before.has_hierarchical_namespace()) {
    *bucket.mutable_hierarchical_namespace() = before.hierarchical_namespace();
  } else {
    bucket.clear_hierarchical_namespace();
  }
  if (before.has_owner()) *bucket.mutable_owner() = before.owner();
  RETURN_IF_ERROR(Settle(&before, bucket, now));
  bucket.set_metageneration(before.metageneration() + 1);
  *bucket.mutable_updated() = ToProto(now);
  return absl::OkStatus();
}

}  // namespace brume::services::storage
