#pragma once

#include <absl/status/status.h>
#include <google/cloud/aiplatform/v1/custom_job.pb.h>

namespace brume::services::aiplatform {

// What Vertex AI refuses of a custom job before it makes one, in its form
// "List of found errors:\t1.Field: F; Message: M\t", with google.rpc.BadRequest
// naming the fields. Also refused, and said so: what this executor cannot run
// (several replicas, persistent resources).
absl::Status ValidateCustomJob(
    const google::cloud::aiplatform::v1::CustomJob& job);

}  // namespace brume::services::aiplatform
