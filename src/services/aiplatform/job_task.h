#pragma once

#include "exec/executor.h"

#include <brume/aiplatform/job_record.pb.h>

namespace brume::services::aiplatform {

// What a custom job's only replica is to run: its image, argv and environment
// (AIP_*, CLOUD_ML_*, CLUSTER_SPEC, as Vertex AI sets them).
exec::TaskSpec MakeTask(const JobRecord& record);

// The longest a job may run when it names no timeout (CustomJob's Scheduling).
inline constexpr absl::Duration kDefaultTimeout = absl::Hours(7 * 24);

}  // namespace brume::services::aiplatform
