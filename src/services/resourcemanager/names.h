#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/cloud/resourcemanager/v3/projects.pb.h>

#include <string>
#include <string_view>

// What may be said of a project. Errors are Resource Manager's:
// "field [project_id] has issue [project_id contains invalid characters]".
namespace brume::services::resourcemanager {

absl::Status CheckProjectId(std::string_view id);
absl::Status CheckDisplayName(std::string_view name);
absl::Status CheckLabels(
    const google::protobuf::Map<std::string, std::string>& labels);
// "", "organizations/N" or "folders/N".
absl::Status CheckParent(std::string_view parent);

absl::Status FieldIssue(std::string_view field, std::string_view issue);
// What Resource Manager says of a project that is not there: it does not tell
// a stranger's project from none.
absl::Status NoSuchProject();

// The id or number in "projects/P" or in a bare "P".
absl::StatusOr<std::string> ProjectIn(std::string_view name);
// "123456789012" of a stored project, whose name is "projects/123456789012".
std::string NumberOf(
    const google::cloud::resourcemanager::v3::Project& project);

}  // namespace brume::services::resourcemanager
