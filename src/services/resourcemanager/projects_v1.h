#pragma once

#include "services/query/page_token.h"
#include "services/resourcemanager/project_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>
#include <brume/resourcemanager/projects_v1.pb.h>
#include <google/cloud/resourcemanager/v3/projects.pb.h>
#include <google/longrunning/operations.pb.h>
#include <google/protobuf/empty.pb.h>

#include <string_view>

namespace brume::services::resourcemanager {

namespace v1 = google::cloudresourcemanager::v1;

// Resource Manager v1's projects: gcloud's. The same rows as v3's. Policies are
// Projects' methods. Thread-safe.
class ProjectsV1 {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    ProjectStore* projects = nullptr;
    const query::PageTokens* pages = nullptr;
  };
  explicit ProjectsV1(Options options) : options_(options) {}

  // `creator` in member form.
  absl::StatusOr<google::longrunning::Operation> CreateProject(
      const v1::CreateProjectRequest& request, std::string_view creator);
  absl::StatusOr<v1::Project> GetProject(const v1::GetProjectRequest& request);
  absl::StatusOr<v1::ListProjectsResponse> ListProjects(
      const v1::ListProjectsRequest& request);
  absl::StatusOr<v1::Project> UpdateProject(
      const v1::UpdateProjectRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteProject(
      const v1::DeleteProjectRequest& request);
  absl::StatusOr<google::protobuf::Empty> UndeleteProject(
      const v1::UndeleteProjectRequest& request);
  absl::StatusOr<v1::GetAncestryResponse> GetAncestry(
      const v1::GetAncestryRequest& request);

 private:
  const Options options_;
};

// The same project as v1 shows it.
v1::Project ToV1(const google::cloud::resourcemanager::v3::Project& project);

}  // namespace brume::services::resourcemanager
