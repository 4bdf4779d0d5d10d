#include "api/bindings/resourcemanager.h"

namespace brume::api {
namespace {

namespace v3 = google::cloud::resourcemanager::v3;
namespace v1 = google::cloudresourcemanager::v1;
using google::longrunning::Operation;
using google::protobuf::Empty;
using services::resourcemanager::Projects;
using services::resourcemanager::ProjectsV1;

// The same of both versions: `service` is the full name of the version's.
void AddPolicyRows(MethodTable& table, const std::string& service,
                   Projects& projects) {
  using google::iam::v1::Policy;
  table.Add(Row<google::iam::v1::GetIamPolicyRequest, Policy>(
      service + ".GetIamPolicy",
      Access::Permission("resourcemanager.projects.getIamPolicy", "resource"),
      [&projects](const Call&,
                  const google::iam::v1::GetIamPolicyRequest& request) {
        return projects.GetIamPolicy(request);
      }));
  table.Add(Row<google::iam::v1::SetIamPolicyRequest, Policy>(
      service + ".SetIamPolicy",
      Access::Permission("resourcemanager.projects.setIamPolicy", "resource"),
      [&projects](const Call&,
                  const google::iam::v1::SetIamPolicyRequest& request) {
        return projects.SetIamPolicy(request);
      }));
  table.Add(Row<google::iam::v1::TestIamPermissionsRequest,
                google::iam::v1::TestIamPermissionsResponse>(
      service + ".TestIamPermissions",
      Access::NoneOn("resource", "tells callers what they may"),
      [&projects](const Call&,
                  const google::iam::v1::TestIamPermissionsRequest& request) {
        return projects.TestIamPermissions(request);
      }));
}

void AddV3Rows(MethodTable& table, Projects& projects) {
  table.Add(Row<v3::CreateProjectRequest, Operation>(
      "google.cloud.resourcemanager.v3.Projects.CreateProject",
      Access::Permission("resourcemanager.projects.create", "project.parent"),
      [&projects](const Call& call, const v3::CreateProjectRequest& request) {
        return projects.CreateProject(request, call.principal.Member());
      }));
  table.Add(Row<v3::GetProjectRequest, v3::Project>(
      "google.cloud.resourcemanager.v3.Projects.GetProject",
      Access::Permission("resourcemanager.projects.get", "name"),
      [&projects](const Call&, const v3::GetProjectRequest& request) {
        return projects.GetProject(request);
      }));
  table.Add(Row<v3::ListProjectsRequest, v3::ListProjectsResponse>(
      "google.cloud.resourcemanager.v3.Projects.ListProjects",
      Access::Permission("resourcemanager.projects.list", "parent"),
      [&projects](const Call&, const v3::ListProjectsRequest& request) {
        return projects.ListProjects(request);
      }));
  table.Add(Row<v3::SearchProjectsRequest, v3::SearchProjectsResponse>(
      "google.cloud.resourcemanager.v3.Projects.SearchProjects",
      Access::None("gives only projects that the caller may get"),
      [&projects](const Call&, const v3::SearchProjectsRequest& request) {
        return projects.SearchProjects(request);
      }));
  table.Add(Row<v3::UpdateProjectRequest, Operation>(
      "google.cloud.resourcemanager.v3.Projects.UpdateProject",
      Access::Permission("resourcemanager.projects.update", "project.name"),
      [&projects](const Call&, const v3::UpdateProjectRequest& request) {
        return projects.UpdateProject(request);
      }));
  table.Add(Row<v3::DeleteProjectRequest, Operation>(
      "google.cloud.resourcemanager.v3.Projects.DeleteProject",
      Access::Permission("resourcemanager.projects.delete", "name"),
      [&projects](const Call&, const v3::DeleteProjectRequest& request) {
        return projects.DeleteProject(request);
      }));
  table.Add(Row<v3::UndeleteProjectRequest, Operation>(
      "google.cloud.resourcemanager.v3.Projects.UndeleteProject",
      Access::Permission("resourcemanager.projects.undelete", "name"),
      [&projects](const Call&, const v3::UndeleteProjectRequest& request) {
        return projects.UndeleteProject(request);
      }));
}

void AddV1Rows(MethodTable& table, ProjectsV1& projects) {
  table.Add(Row<v1::CreateProjectRequest, Operation>(
      "google.cloudresourcemanager.v1.Projects.CreateProject",
      Access::None("needs a permission on the parent, if there is one"),
      [&projects](const Call& call, const v1::CreateProjectRequest& request) {
        return projects.CreateProject(request, call.principal.Member());
      }));
  table.Add(Row<v1::GetProjectRequest, v1::Project>(
      "google.cloudresourcemanager.v1.Projects.GetProject",
      Access::Permission("resourcemanager.projects.get", "project_id"),
      [&projects](const Call&, const v1::GetProjectRequest& request) {
        return projects.GetProject(request);
      }));
  table.Add(Row<v1::ListProjectsRequest, v1::ListProjectsResponse>(
      "google.cloudresourcemanager.v1.Projects.ListProjects",
      Access::None("gives only projects that the caller may get"),
      [&projects](const Call&, const v1::ListProjectsRequest& request) {
        return projects.ListProjects(request);
      }));
  table.Add(Row<v1::UpdateProjectRequest, v1::Project>(
      "google.cloudresourcemanager.v1.Projects.UpdateProject",
      Access::Permission("resourcemanager.projects.update", "project_id"),
      [&projects](const Call&, const v1::UpdateProjectRequest& request) {
        return projects.UpdateProject(request);
      }));
  table.Add(Row<v1::DeleteProjectRequest, Empty>(
      "google.cloudresourcemanager.v1.Projects.DeleteProject",
      Access::Permission("resourcemanager.projects.delete", "project_id"),
      [&projects](const Call&, const v1::DeleteProjectRequest& request) {
        return projects.DeleteProject(request);
      }));
  table.Add(Row<v1::UndeleteProjectRequest, Empty>(
      "google.cloudresourcemanager.v1.Projects.UndeleteProject",
      Access::Permission("resourcemanager.projects.undelete", "project_id"),
      [&projects](const Call&, const v1::UndeleteProjectRequest& request) {
        return projects.UndeleteProject(request);
      }));
  table.Add(Row<v1::GetAncestryRequest, v1::GetAncestryResponse>(
      "google.cloudresourcemanager.v1.Projects.GetAncestry",
      Access::Permission("resourcemanager.projects.get", "project_id"),
      [&projects](const Call&, const v1::GetAncestryRequest& request) {
        return projects.GetAncestry(request);
      }));
}

}  // namespace

void AddResourceManagerRows(MethodTable& table, Projects& v3_projects,
                            ProjectsV1& v1_projects) {
  AddV3Rows(table, v3_projects);
  AddPolicyRows(table, "google.cloud.resourcemanager.v3.Projects", v3_projects);
  AddV1Rows(table, v1_projects);
  AddPolicyRows(table, "google.cloudresourcemanager.v1.Projects", v3_projects);
}

}  // namespace brume::api
