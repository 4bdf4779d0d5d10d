#pragma once

#include "base/clock.h"
#include "services/policy/policy.h"
#include "services/query/page_token.h"
#include "services/resourcemanager/project_store.h"
#include "store/kv/kv_store.h"

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <google/cloud/resourcemanager/v3/projects.pb.h>
#include <google/iam/v1/iam_policy.pb.h>
#include <google/iam/v1/policy.pb.h>
#include <google/longrunning/operations.pb.h>

#include <string_view>

namespace brume::services::resourcemanager {

// Resource Manager v3's projects (google.cloud.resourcemanager.v3.Projects).
// Its operations are done when they are given out. Thread-safe.
class Projects {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    ProjectStore* projects = nullptr;
    const query::PageTokens* pages = nullptr;
    policy::Rules policy_rules;
  };
  explicit Projects(Options options) : options_(std::move(options)) {}

  // `creator` in member form.
  absl::StatusOr<google::longrunning::Operation> CreateProject(
      const google::cloud::resourcemanager::v3::CreateProjectRequest& request,
      std::string_view creator);
  absl::StatusOr<google::cloud::resourcemanager::v3::Project> GetProject(
      const google::cloud::resourcemanager::v3::GetProjectRequest& request);
  absl::StatusOr<google::cloud::resourcemanager::v3::ListProjectsResponse>
  ListProjects(
      const google::cloud::resourcemanager::v3::ListProjectsRequest& request);
  absl::StatusOr<google::cloud::resourcemanager::v3::SearchProjectsResponse>
  SearchProjects(
      const google::cloud::resourcemanager::v3::SearchProjectsRequest& request);
  absl::StatusOr<google::longrunning::Operation> UpdateProject(
      const google::cloud::resourcemanager::v3::UpdateProjectRequest& request);
  absl::StatusOr<google::longrunning::Operation> DeleteProject(
      const google::cloud::resourcemanager::v3::DeleteProjectRequest& request);
  absl::StatusOr<google::longrunning::Operation> UndeleteProject(
      const google::cloud::resourcemanager::v3::UndeleteProjectRequest&
          request);

  // Also v1's, whose resource is the bare id.
  absl::StatusOr<google::iam::v1::Policy> GetIamPolicy(
      const google::iam::v1::GetIamPolicyRequest& request);
  absl::StatusOr<google::iam::v1::Policy> SetIamPolicy(
      const google::iam::v1::SetIamPolicyRequest& request);
  absl::StatusOr<google::iam::v1::TestIamPermissionsResponse>
  TestIamPermissions(const google::iam::v1::TestIamPermissionsRequest& request);

 private:
  using Project = google::cloud::resourcemanager::v3::Project;
  // Changes a project and records an operation "operations/KIND.NUMBER".
  absl::StatusOr<google::longrunning::Operation> Change(
      std::string_view name, std::string_view kind,
      const google::protobuf::Message& metadata,
      absl::FunctionRef<absl::Status(Project&)> change);

  const Options options_;
};

// What both versions check and do; errors in Resource Manager's words.
absl::Status CheckNewProject(
    const google::cloud::resourcemanager::v3::Project& project);
absl::Status MarkDeleted(google::cloud::resourcemanager::v3::Project& project,
                         absl::Time now);
absl::Status MarkRestored(google::cloud::resourcemanager::v3::Project& project);
// NOT_FOUND becomes what Resource Manager says instead.
absl::Status Said(absl::Status status);

}  // namespace brume::services::resourcemanager
