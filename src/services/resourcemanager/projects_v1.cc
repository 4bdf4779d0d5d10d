#include "services/resourcemanager/projects_v1.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/longrunning/operations.h"
#include "services/query/filter.h"
#include "services/resourcemanager/names.h"
#include "services/resourcemanager/projects.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <string>
#include <utility>

namespace brume::services::resourcemanager {
namespace {

namespace v3 = google::cloud::resourcemanager::v3;
using google::longrunning::Operation;
using google::protobuf::Empty;

constexpr int kMaxPage = 1000;

// "organization", "123" -> "organizations/123".
absl::StatusOr<std::string> ParentOf(const v1::ResourceId& parent) {
  if (parent.type().empty() && parent.id().empty()) return std::string();
  if (parent.type() != "organization" && parent.type() != "folder") {
    return FieldIssue("parent.type",
                      "parent type must be organization or folder");
  }
  std::string name = base::StrCat(parent.type(), "s/", parent.id());
  RETURN_IF_ERROR(CheckParent(name));
  return name;
}

v1::ResourceId FromParent(std::string_view parent) {
  v1::ResourceId out;
  const size_t slash = parent.find('/');
  if (slash == std::string_view::npos || slash == 0) return out;
  out.set_type(std::string(parent.substr(0, slash - 1)));  // without the "s"
  out.set_id(std::string(parent.substr(slash + 1)));
  return out;
}

}  // namespace

v1::Project ToV1(const v3::Project& project) {
  v1::Project out;
  int64_t number = 0;
  if (absl::SimpleAtoi(NumberOf(project), &number)) {
    out.set_project_number(number);
  }
  out.set_project_id(project.project_id());
  out.set_lifecycle_state(project.state() == v3::Project::ACTIVE
                              ? v1::ACTIVE
                              : v1::DELETE_REQUESTED);
  out.set_name(project.display_name());
  *out.mutable_create_time() = project.create_time();
  *out.mutable_labels() = project.labels();
  if (!project.parent().empty()) {
    *out.mutable_parent() = FromParent(project.parent());
  }
  return out;
}

absl::StatusOr<Operation> ProjectsV1::CreateProject(
    const v1::CreateProjectRequest& request, std::string_view creator) {
  const v1::Project& what = request.project();
  v3::Project wanted;
  wanted.set_project_id(what.project_id());
  wanted.set_display_name(what.name());
  ASSIGN_OR_RETURN(*wanted.mutable_parent(), ParentOf(what.parent()));
  *wanted.mutable_labels() = what.labels();
  RETURN_IF_ERROR(CheckNewProject(wanted));
  const std::string name =
      base::StrCat("operations/cp.", base::RandomDigits(19));
  Operation operation;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const v3::Project made,
                         options_.projects->Create(txn, wanted, creator));
        v1::ProjectCreationStatus metadata;
        *metadata.mutable_create_time() = made.create_time();
        metadata.set_gettable(true);
        metadata.set_ready(true);
        ASSIGN_OR_RETURN(operation, longrunning::Operations::PutDone(
                                        txn, name, metadata, ToV1(made)));
        return absl::OkStatus();
      }));
  return operation;
}

absl::StatusOr<v1::Project> ProjectsV1::GetProject(
    const v1::GetProjectRequest& request) {
  const absl::StatusOr<v3::Project> found =
      options_.projects->Get(request.project_id());
  if (!found.ok()) return Said(found.status());
  return ToV1(*found);
}

absl::StatusOr<v1::ListProjectsResponse> ProjectsV1::ListProjects(
    const v1::ListProjectsRequest& request) {
  ASSIGN_OR_RETURN(query::Filter filter,
                   query::Filter::Parse(request.filter(),
                                        query::Dialect::kResourceManagerV1));
  filter.set_aliases({{"id", "project_id"}});
  if (request.page_size() < 0) {
    return FieldIssue("page_size", "page_size must not be negative");
  }
  const int size = request.page_size() == 0
                       ? kMaxPage
                       : std::min(request.page_size(), kMaxPage);
  std::string after;
  if (!request.page_token().empty()) {
    ASSIGN_OR_RETURN(after,
                     options_.pages->Read(request, request.page_token()));
  }
  ASSIGN_OR_RETURN(const auto found, options_.projects->List(
                                         [&filter](const v3::Project& project) {
                                           return filter.Matches(ToV1(project));
                                         },
                                         after, static_cast<size_t>(size) + 1));
  v1::ListProjectsResponse response;
  for (const v3::Project& project : found) {
    if (response.projects_size() == size) {
      response.set_next_page_token(options_.pages->Make(
          request, response.projects(size - 1).project_id()));
      break;
    }
    *response.add_projects() = ToV1(project);
  }
  return response;
}

absl::StatusOr<v1::Project> ProjectsV1::UpdateProject(
    const v1::UpdateProjectRequest& request) {
  const v1::Project& what = request.project();
  RETURN_IF_ERROR(CheckDisplayName(what.name()));
  RETURN_IF_ERROR(CheckLabels(what.labels()));
  ASSIGN_OR_RETURN(const std::string parent, ParentOf(what.parent()));
  v1::Project out;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        const absl::StatusOr<v3::Project> changed = options_.projects->Update(
            txn, request.project_id(), [&](v3::Project& project) {
              if (!what.name().empty()) project.set_display_name(what.name());
              *project.mutable_labels() = what.labels();
              // Once set, the parent cannot be cleared.
              if (!parent.empty()) project.set_parent(parent);
              return absl::OkStatus();
            });
        if (!changed.ok()) return Said(changed.status());
        out = ToV1(*changed);
        return absl::OkStatus();
      }));
  return out;
}

absl::StatusOr<Empty> ProjectsV1::DeleteProject(
    const v1::DeleteProjectRequest& request) {
  const absl::Time now = options_.clock->Now();
  RETURN_IF_ERROR(options_.kv->Transact([&](store::KvTransaction& txn) {
    return Said(options_.projects
                    ->Update(txn, request.project_id(),
                             [now](v3::Project& project) {
                               return MarkDeleted(project, now);
                             })
                    .status());
  }));
  return Empty();
}

absl::StatusOr<Empty> ProjectsV1::UndeleteProject(
    const v1::UndeleteProjectRequest& request) {
  RETURN_IF_ERROR(options_.kv->Transact([&](store::KvTransaction& txn) {
    return Said(
        options_.projects->Update(txn, request.project_id(), MarkRestored)
            .status());
  }));
  return Empty();
}

absl::StatusOr<v1::GetAncestryResponse> ProjectsV1::GetAncestry(
    const v1::GetAncestryRequest& request) {
  const absl::StatusOr<v3::Project> found =
      options_.projects->Get(request.project_id());
  if (!found.ok()) return Said(found.status());
  v1::GetAncestryResponse response;
  v1::ResourceId& self = *response.add_ancestor()->mutable_resource_id();
  self.set_type("project");
  self.set_id(found->project_id());
  if (!found->parent().empty()) {
    *response.add_ancestor()->mutable_resource_id() =
        FromParent(found->parent());
  }
  return response;
}

}  // namespace brume::services::resourcemanager
