#pragma once

#include "base/clock.h"
#include "exec/executor.h"
#include "services/query/page_token.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/cloud/aiplatform/v1/custom_job.pb.h>
#include <google/cloud/aiplatform/v1/job_service.pb.h>
#include <google/longrunning/operations.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

// Vertex AI's custom jobs (JobService, the CustomJob methods): a job is a task
// of the executor. JobWatcher moves jobs on and carries their output to the
// log.
namespace brume::services::aiplatform {

// Thread-safe.
class CustomJobs {
 public:
  struct Project {
    std::string id;
    std::string number;
  };
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    const query::PageTokens* page_tokens = nullptr;
    // nullptr on a machine that cannot run jobs: then `no_executor` says why.
    exec::Executor* executor = nullptr;
    std::string no_executor;
    // By id or number; NOT_FOUND when there is none.
    std::function<absl::StatusOr<Project>(std::string_view id_or_number)>
        find_project;
    // Whether such an account exists in the project and is enabled.
    std::function<absl::StatusOr<bool>(const Project&, std::string_view email)>
        account_exists;
    // Makes Vertex AI's service agents in the project where they are missing:
    // they come with the API or with its first use.
    std::function<absl::Status(const Project&)> ensure_agents;
  };
  explicit CustomJobs(Options options) : options_(std::move(options)) {}

  absl::StatusOr<google::cloud::aiplatform::v1::CustomJob> Create(
      const google::cloud::aiplatform::v1::CreateCustomJobRequest& request);
  absl::StatusOr<google::cloud::aiplatform::v1::CustomJob> Get(
      const google::cloud::aiplatform::v1::GetCustomJobRequest& request);
  // Newest first; 100 jobs a page by default.
  absl::StatusOr<google::cloud::aiplatform::v1::ListCustomJobsResponse> List(
      const google::cloud::aiplatform::v1::ListCustomJobsRequest& request);
  // The job becomes CANCELLING, and CANCELLED when its program has ended.
  // FAILED_PRECONDITION for one that has ended.
  absl::Status Cancel(
      const google::cloud::aiplatform::v1::CancelCustomJobRequest& request);
  // Forgets an ended job. The operation is done at once.
  absl::StatusOr<google::longrunning::Operation> Delete(
      const google::cloud::aiplatform::v1::DeleteCustomJobRequest& request);

 private:
  const Options options_;
};

// Between SIGTERM and SIGKILL.
inline constexpr absl::Duration kStopGrace = absl::Seconds(30);

}  // namespace brume::services::aiplatform
