#include "services/resourcemanager/projects.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/longrunning/operations.h"
#include "services/query/field_mask.h"
#include "services/query/filter.h"
#include "services/resourcemanager/names.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace brume::services::resourcemanager {
namespace {

namespace v3 = google::cloud::resourcemanager::v3;
using google::longrunning::Operation;

constexpr int kMaxPage = 500;

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0)
    return FieldIssue("page_size", "page_size must not be negative");
  return asked == 0 ? kMaxPage : std::min(asked, kMaxPage);
}

std::string NewOperation(std::string_view kind) {
  return base::StrCat("operations/", kind, ".", base::RandomDigits(19));
}

// One page of what `wanted` takes, into a list or search response.
template <typename Request, typename Response>
absl::StatusOr<Response> OnePage(
    const Request& request, const ProjectStore& projects,
    const query::PageTokens& pages,
    absl::FunctionRef<absl::StatusOr<bool>(const v3::Project&)> wanted) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  std::string after;
  if (!request.page_token().empty()) {
    ASSIGN_OR_RETURN(after, pages.Read(request, request.page_token()));
  }
  ASSIGN_OR_RETURN(auto found,
                   projects.List(wanted, after, static_cast<size_t>(size) + 1));
  Response response;
  for (v3::Project& project : found) {
    if (response.projects_size() == size) {
      response.set_next_page_token(
          pages.Make(request, response.projects(size - 1).project_id()));
      break;
    }
    *response.add_projects() = std::move(project);
  }
  return response;
}

}  // namespace

absl::Status Said(absl::Status status) {
  return absl::IsNotFound(status) ? NoSuchProject() : status;
}

absl::Status CheckNewProject(const v3::Project& project) {
  if (project.project_id().empty()) {
    return FieldIssue("project_id", "project_id must be specified");
  }
  RETURN_IF_ERROR(CheckProjectId(project.project_id()));
  RETURN_IF_ERROR(CheckDisplayName(project.display_name()));
  RETURN_IF_ERROR(CheckLabels(project.labels()));
  return CheckParent(project.parent());
}

absl::Status MarkDeleted(v3::Project& project, absl::Time now) {
  if (project.state() != v3::Project::ACTIVE) {
    return absl::FailedPreconditionError("Cannot delete an inactive project.");
  }
  project.set_state(v3::Project::DELETE_REQUESTED);
  *project.mutable_delete_time() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
          absl::ToUnixMicros(now));
  return absl::OkStatus();
}

absl::Status MarkRestored(v3::Project& project) {
  if (project.state() != v3::Project::DELETE_REQUESTED) {
    return absl::FailedPreconditionError("Cannot restore an active project.");
  }
  project.set_state(v3::Project::ACTIVE);
  project.clear_delete_time();
  return absl::OkStatus();
}

absl::StatusOr<Operation> Projects::CreateProject(
    const v3::CreateProjectRequest& request, std::string_view creator) {
  if (!request.project().name().empty()) {
    return FieldIssue("project.name",
                      "field should not be set for new projects");
  }
  RETURN_IF_ERROR(CheckNewProject(request.project()));
  v3::Project wanted;
  wanted.set_project_id(request.project().project_id());
  wanted.set_display_name(request.project().display_name());
  wanted.set_parent(request.project().parent());
  *wanted.mutable_labels() = request.project().labels();
  const std::string name = NewOperation("cp");
  Operation operation;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const v3::Project made,
                         options_.projects->Create(txn, wanted, creator));
        v3::CreateProjectMetadata metadata;
        *metadata.mutable_create_time() = made.create_time();
        metadata.set_gettable(true);
        metadata.set_ready(true);
        ASSIGN_OR_RETURN(operation, longrunning::Operations::PutDone(
                                        txn, name, metadata, made));
        return absl::OkStatus();
      }));
  return operation;
}

absl::StatusOr<v3::Project> Projects::GetProject(
    const v3::GetProjectRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, ProjectIn(request.name()));
  absl::StatusOr<v3::Project> found = options_.projects->Get(name);
  if (!found.ok()) return Said(found.status());
  return found;
}

absl::StatusOr<v3::ListProjectsResponse> Projects::ListProjects(
    const v3::ListProjectsRequest& request) {
  if (request.parent().empty()) {
    return FieldIssue("parent", "parent must be specified");
  }
  RETURN_IF_ERROR(CheckParent(request.parent()));
  return OnePage<v3::ListProjectsRequest, v3::ListProjectsResponse>(
      request, *options_.projects, *options_.pages,
      [&request](const v3::Project& project) -> absl::StatusOr<bool> {
        return project.parent() == request.parent() &&
               (request.show_deleted() ||
                project.state() == v3::Project::ACTIVE);
      });
}

absl::StatusOr<v3::SearchProjectsResponse> Projects::SearchProjects(
    const v3::SearchProjectsRequest& request) {
  ASSIGN_OR_RETURN(query::Filter filter,
                   query::Filter::Parse(request.query(),
                                        query::Dialect::kResourceManagerV1));
  filter.set_aliases({{"id", "project_id"},
                      {"name", "display_name"},
                      {"projectId", "project_id"},
                      {"displayName", "display_name"},
                      {"lifecycleState", "state"}});
  return OnePage<v3::SearchProjectsRequest, v3::SearchProjectsResponse>(
      request, *options_.projects, *options_.pages,
      [&filter](const v3::Project& project) {
        return filter.Matches(project);
      });
}

absl::StatusOr<Operation> Projects::Change(
    std::string_view name, std::string_view kind,
    const google::protobuf::Message& metadata,
    absl::FunctionRef<absl::Status(v3::Project&)> change) {
  ASSIGN_OR_RETURN(const std::string project, ProjectIn(name));
  const std::string operation_name = NewOperation(kind);
  Operation operation;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        const absl::StatusOr<v3::Project> changed =
            options_.projects->Update(txn, project, change);
        if (!changed.ok()) return Said(changed.status());
        ASSIGN_OR_RETURN(operation,
                         longrunning::Operations::PutDone(txn, operation_name,
                                                          metadata, *changed));
        return absl::OkStatus();
      }));
  return operation;
}

absl::StatusOr<Operation> Projects::UpdateProject(
    const v3::UpdateProjectRequest& request) {
  const v3::Project& what = request.project();
  RETURN_IF_ERROR(CheckDisplayName(what.display_name()));
  RETURN_IF_ERROR(CheckLabels(what.labels()));
  return Change(what.name(), "pu", v3::UpdateProjectMetadata(),
                [&](v3::Project& project) -> absl::Status {
                  if (!what.etag().empty() && what.etag() != project.etag()) {
                    return absl::AbortedError(
                        "There were concurrent changes to the project. Please "
                        "retry the whole read-modify-write.");
                  }
                  return query::ApplyMask(request.update_mask(),
                                          {"display_name", "labels"}, what,
                                          &project);
                });
}

absl::StatusOr<Operation> Projects::DeleteProject(
    const v3::DeleteProjectRequest& request) {
  return Change(request.name(), "pd", v3::DeleteProjectMetadata(),
                [this](v3::Project& project) {
                  return MarkDeleted(project, options_.clock->Now());
                });
}

absl::StatusOr<Operation> Projects::UndeleteProject(
    const v3::UndeleteProjectRequest& request) {
  return Change(request.name(), "ud", v3::UndeleteProjectMetadata(),
                MarkRestored);
}

absl::StatusOr<google::iam::v1::Policy> Projects::GetIamPolicy(
    const google::iam::v1::GetIamPolicyRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, ProjectIn(request.resource()));
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  const absl::StatusOr<v3::Project> project =
      options_.projects->Find(*reader, name);
  if (!project.ok()) return Said(project.status());
  return policy::Read(*reader, project->name(),
                      request.options().requested_policy_version());
}

absl::StatusOr<google::iam::v1::Policy> Projects::SetIamPolicy(
    const google::iam::v1::SetIamPolicyRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, ProjectIn(request.resource()));
  google::iam::v1::Policy out;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        const absl::StatusOr<v3::Project> project =
            options_.projects->LockActive(txn, name);
        if (!project.ok()) return Said(project.status());
        ASSIGN_OR_RETURN(
            out, policy::Write(txn, project->name(), request,
                               options_.policy_rules, options_.clock->Now()));
        return absl::OkStatus();
      }));
  return out;
}

absl::StatusOr<google::iam::v1::TestIamPermissionsResponse>
Projects::TestIamPermissions(
    const google::iam::v1::TestIamPermissionsRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, ProjectIn(request.resource()));
  const absl::StatusOr<v3::Project> found = options_.projects->Get(name);
  if (!found.ok()) return Said(found.status());
  return policy::Test(request);
}

}  // namespace brume::services::resourcemanager
