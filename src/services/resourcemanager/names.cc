#include "services/resourcemanager/names.h"

#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <absl/strings/ascii.h>
#include <google/rpc/error_details.pb.h>

#include <algorithm>

namespace brume::services::resourcemanager {
namespace {

constexpr std::string_view kPrefix = "projects/";
constexpr int kMaxLabels = 64;

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool IsLabelText(std::string_view text) {
  return text.size() <= 63 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           // International letters are allowed; capitals are not.
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) ||
                  c == '_' || c == '-' || c >= 0x80;
         });
}

}  // namespace

absl::Status FieldIssue(std::string_view field, std::string_view issue) {
  google::rpc::BadRequest bad;
  auto& violation = *bad.add_field_violations();
  violation.set_field(std::string(field));
  violation.set_description(std::string(issue));
  return WithDetail(absl::InvalidArgumentError(base::StrCat(
                        "field [", field, "] has issue [", issue, "]")),
                    bad);
}

absl::Status NoSuchProject() {
  return absl::PermissionDeniedError("The caller does not have permission");
}

absl::Status CheckProjectId(std::string_view id) {
  constexpr std::string_view kField = "project_id";
  if (id.size() < 6) {
    return FieldIssue(kField, "project_id must be at least 6 characters long");
  }
  if (id.size() > 30) {
    return FieldIssue(kField, "project_id must be at most 30 characters long");
  }
  const bool ends_well =
      absl::ascii_islower(static_cast<unsigned char>(id.front())) &&
      id.back() != '-';
  const bool all_well = std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
  if (!ends_well || !all_well) {
    return FieldIssue(kField, "project_id contains invalid characters");
  }
  return absl::OkStatus();
}

absl::Status CheckDisplayName(std::string_view name) {
  constexpr std::string_view kField = "display_name";
  if (name.empty()) return absl::OkStatus();
  if (name.size() < 4) {
    return FieldIssue(kField,
                      "project display name must be at least 4 "
                      "characters long");
  }
  if (name.size() > 30) {
    return FieldIssue(kField,
                      "project display name must be at most 30 "
                      "characters long");
  }
  const bool good = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '\'' || c == '"' ||
           c == ' ' || c == '!';
  });
  if (!good) {
    return FieldIssue(kField,
                      "project display name contains invalid "
                      "characters");
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(
    const google::protobuf::Map<std::string, std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    return FieldIssue("labels", base::StrCat("at most ", kMaxLabels,
                                             " labels are "
                                             "allowed"));
  }
  for (const auto& [key, value] : labels) {
    const bool good_key =
        !key.empty() && IsLabelText(key) &&
        (absl::ascii_islower(static_cast<unsigned char>(key.front())) ||
         static_cast<unsigned char>(key.front()) >= 0x80);
    if (!good_key) {
      return FieldIssue("labels",
                        base::StrCat("label key '", key, "' is invalid"));
    }
    if (!IsLabelText(value)) {
      return FieldIssue("labels",
                        base::StrCat("label value '", value, "' is invalid"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckParent(std::string_view parent) {
  if (parent.empty()) return absl::OkStatus();
  for (std::string_view kind : {"organizations/", "folders/"}) {
    if (parent.substr(0, kind.size()) == kind &&
        IsNumber(parent.substr(kind.size()))) {
      return absl::OkStatus();
    }
  }
  return FieldIssue(
      "parent", base::StrCat("'", parent, "' is no organization or folder"));
}

absl::StatusOr<std::string> ProjectIn(std::string_view name) {
  if (name.substr(0, kPrefix.size()) == kPrefix) {
    name.remove_prefix(kPrefix.size());
  }
  if (name.empty() || name.find('/') != std::string_view::npos) {
    return FieldIssue("name", "name must be \"projects/{project}\"");
  }
  return std::string(name);
}

std::string NumberOf(
    const google::cloud::resourcemanager::v3::Project& project) {
  return project.name().substr(std::min(kPrefix.size(), project.name().size()));
}

}  // namespace brume::services::resourcemanager
