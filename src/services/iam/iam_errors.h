#pragma once

#include <absl/status/status.h>

#include <string_view>

// IAM's errors in its own words.
namespace brume::services::iam {

absl::Status UnknownAccount();
absl::Status AccountExists(std::string_view id, std::string_view project);
absl::Status UnknownKey(std::string_view name);
// The Service Account Credentials API speaks of accounts in its own way.
absl::Status NoGaiaId(std::string_view account);

}  // namespace brume::services::iam
