#include "services/storage/preconditions.h"

#include "services/errors/errors.h"
#include "services/storage/storage_errors.h"

#include <google/rpc/error_details.pb.h>

namespace brume::services::storage {

absl::Status CheckConditions(const brume::storage::Conditions& c,
                             int64_t generation, int64_t metageneration) {
  const bool exists = generation != 0;
  if ((c.has_generation_match() && c.generation_match() != generation) ||
      (c.has_metageneration_match() &&
       (!exists || c.metageneration_match() != metageneration))) {
    return ConditionNotMet("If-Match");
  }
  if ((c.has_generation_not_match() &&
       c.generation_not_match() == generation) ||
      (c.has_metageneration_not_match() && exists &&
       c.metageneration_not_match() == metageneration)) {
    return ConditionNotMet("If-None-Match");
  }
  return absl::OkStatus();
}

bool IsNotModified(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kFailedPrecondition) return false;
  for (const google::protobuf::Any& detail : DetailsOf(status)) {
    google::rpc::ErrorInfo info;
    if (!detail.UnpackTo(&info)) continue;
    const auto location = info.metadata().find("location");
    return location != info.metadata().end() &&
           location->second == "If-None-Match";
  }
  return false;
}

}  // namespace brume::services::storage
