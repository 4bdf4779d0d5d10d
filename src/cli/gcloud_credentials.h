#pragma once

#include <absl/status/status.h>

#include <string>

namespace brume::cli {

// Credentials of an account as Google's clients keep a signed-in user's
// (authorized_user).
struct Account {
  std::string email;
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;
  std::string project;  // its default; may be empty
};

// The JSON of application default credentials.
std::string AdcJson(const Account& account);

// The same of a service account as which `account` acts.
std::string ImpersonationJson(const Account& account,
                              const std::string& service_account);

// Signs the account in in a gcloud configuration folder (as gcloud 528 reads
// it): credentials.db, and legacy_credentials/EMAIL with adc.json for bq and
// .boto for gsutil. Other accounts that are signed in there stay.
absl::Status SignIn(const std::string& folder, const Account& account);

}  // namespace brume::cli
