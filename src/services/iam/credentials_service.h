#pragma once

#include "base/clock.h"
#include "services/iam/account_store.h"
#include "services/iam/key_store.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <brume/iam/allowed_locations.pb.h>
#include <google/iam/credentials/v1/common.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::services::iam {

// The Service Account Credentials API (google.iam.credentials.v1): tokens and
// signatures of an account for who may act as it. Thread-safe.
class CredentialsService {
 public:
  struct AccessToken {
    std::string token;
    absl::Time expires_at;
  };
  struct Options {
    const base::Clock* clock = nullptr;
    AccountStore* accounts = nullptr;
    KeyStore* keys = nullptr;
    // Tokens belong to OAuth, which gives them here.
    std::function<absl::StatusOr<AccessToken>(
        const google::iam::admin::v1::ServiceAccount& account,
        const std::vector<std::string>& scopes, absl::Duration lifetime,
        std::string_view impersonator)>
        mint_access_token;
    std::function<absl::StatusOr<std::string>(
        const google::iam::admin::v1::ServiceAccount& account,
        std::string_view audience, bool include_email)>
        sign_identity_token;
  };
  explicit CredentialsService(Options options) : options_(std::move(options)) {}

  // `caller` is the e-mail of who asks.
  absl::StatusOr<google::iam::credentials::v1::GenerateAccessTokenResponse>
  GenerateAccessToken(
      const google::iam::credentials::v1::GenerateAccessTokenRequest& request,
      std::string_view caller);
  absl::StatusOr<google::iam::credentials::v1::GenerateIdTokenResponse>
  GenerateIdToken(
      const google::iam::credentials::v1::GenerateIdTokenRequest& request);
  absl::StatusOr<google::iam::credentials::v1::SignBlobResponse> SignBlob(
      const google::iam::credentials::v1::SignBlobRequest& request);
  absl::StatusOr<google::iam::credentials::v1::SignJwtResponse> SignJwt(
      const google::iam::credentials::v1::SignJwtRequest& request);

  absl::StatusOr<brume::iam::ServiceAccountAllowedLocations>
  GetAllowedLocations(const brume::iam::GetAllowedLocationsRequest& request);

 private:
  // The account of "projects/-/serviceAccounts/A", and that the delegates are
  // there too.
  absl::StatusOr<brume::iam::AccountRecord> Target(
      std::string_view name,
      const google::protobuf::RepeatedPtrField<std::string>& delegates) const;

  const Options options_;
};

}  // namespace brume::services::iam
