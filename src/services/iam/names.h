#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

// Resource names of IAM: "projects/P/serviceAccounts/A[/keys/K]", where P may
// be "-" and A an e-mail or a unique id.
namespace brume::services::iam {

struct AccountName {
  std::string project;  // id or number; "-" for any
  std::string account;  // e-mail or unique id
};
struct KeyName {
  AccountName account;
  std::string key;
};

// INVALID_ARGUMENT for anything else.
absl::StatusOr<AccountName> ParseAccountName(std::string_view name);
absl::StatusOr<KeyName> ParseKeyName(std::string_view name);
// The project of "projects/P".
absl::StatusOr<std::string> ParseProjectName(std::string_view name);

// "projects/P/serviceAccounts/EMAIL".
std::string AccountResource(std::string_view project, std::string_view email);

// Of a new account: INVALID_ARGUMENT in Google's words.
absl::Status CheckAccountId(std::string_view id);
absl::Status CheckDisplayName(std::string_view name);
absl::Status CheckDescription(std::string_view text);

// "ID@PROJECT.iam.gserviceaccount.com"; of a domain-scoped project
// ("example.com:p") "ID@p.example.com.iam.gserviceaccount.com".
std::string AccountEmail(std::string_view id, std::string_view project_id);

}  // namespace brume::services::iam
