#include "services/iam/names.h"

#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <vector>

namespace brume::services::iam {
namespace {

constexpr size_t kMaxDisplayName = 100;  // bytes
constexpr size_t kMaxDescription = 256;

absl::Status Malformed(std::string_view name) {
  return InvalidField("name", base::StrCat("Invalid form of name: ", name));
}

std::vector<std::string> Parts(std::string_view name) {
  return absl::StrSplit(base::ToAbsl(name), '/');
}

bool AnyEmpty(const std::vector<std::string>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [](const std::string& part) { return part.empty(); });
}

}  // namespace

absl::StatusOr<AccountName> ParseAccountName(std::string_view name) {
  const std::vector<std::string> parts = Parts(name);
  if (parts.size() != 4 || parts[0] != "projects" ||
      parts[2] != "serviceAccounts" || AnyEmpty(parts)) {
    return Malformed(name);
  }
  return AccountName{parts[1], parts[3]};
}

absl::StatusOr<KeyName> ParseKeyName(std::string_view name) {
  const std::vector<std::string> parts = Parts(name);
  if (parts.size() != 6 || parts[0] != "projects" ||
      parts[2] != "serviceAccounts" || parts[4] != "keys" || AnyEmpty(parts)) {
    return Malformed(name);
  }
  return KeyName{{parts[1], parts[3]}, parts[5]};
}

absl::StatusOr<std::string> ParseProjectName(std::string_view name) {
  const std::vector<std::string> parts = Parts(name);
  if (parts.size() != 2 || parts[0] != "projects" || AnyEmpty(parts)) {
    return Malformed(name);
  }
  return parts[1];
}

std::string AccountResource(std::string_view project, std::string_view email) {
  return base::StrCat("projects/", project, "/serviceAccounts/", email);
}

absl::Status CheckAccountId(std::string_view id) {
  if (id.size() < 6 || id.size() > 30) {
    return InvalidField(
        "account_id",
        base::StrCat("The account ID \"", id,
                     "\" does not have a length between 6 and 30."));
  }
  const bool ends_well =
      absl::ascii_islower(id.front()) &&
      (absl::ascii_islower(id.back()) || absl::ascii_isdigit(id.back()));
  const bool all_well = std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
  if (!ends_well || !all_well) {
    return InvalidField(
        "account_id",
        base::StrCat(id, " does not match [a-z][a-z\\d\\-]*[a-z\\d]."));
  }
  return absl::OkStatus();
}

absl::Status CheckDisplayName(std::string_view name) {
  if (name.size() <= kMaxDisplayName) return absl::OkStatus();
  return InvalidField("service_account.display_name",
                      base::StrCat("The display name is longer than ",
                                   kMaxDisplayName, " bytes."));
}

absl::Status CheckDescription(std::string_view text) {
  if (text.size() <= kMaxDescription) return absl::OkStatus();
  return InvalidField("service_account.description",
                      base::StrCat("The description is longer than ",
                                   kMaxDescription, " bytes."));
}

std::string AccountEmail(std::string_view id, std::string_view project_id) {
  const size_t colon = project_id.find(':');
  if (colon == std::string_view::npos) {
    return base::StrCat(id, "@", project_id, ".iam.gserviceaccount.com");
  }
  return base::StrCat(id, "@", project_id.substr(colon + 1), ".",
                      project_id.substr(0, colon), ".iam.gserviceaccount.com");
}

}  // namespace brume::services::iam
