#pragma once

#include "api/method.h"
#include "services/aiplatform/custom_jobs.h"

#include <functional>

namespace brume::api {

// google.cloud.aiplatform.v1.JobService (custom jobs) and Vertex AI's
// locations. `jobs` must outlive the table.
void AddAiPlatformRows(MethodTable& table,
                       services::aiplatform::CustomJobs& jobs);

}  // namespace brume::api
