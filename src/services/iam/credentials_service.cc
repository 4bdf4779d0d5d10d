#include "services/iam/credentials_service.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/iam/iam_errors.h"
#include "services/signing/jwt.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <google/protobuf/util/time_util.h>

namespace brume::services::iam {
namespace {

namespace v1 = google::iam::credentials::v1;
using brume::iam::AccountRecord;
using google::protobuf::util::TimeUtil;

constexpr int64_t kHour = 3600;
// signJwt: "exp" lies at most this far ahead.
constexpr int64_t kMaxJwtSeconds = 12 * kHour;

absl::Status CheckScopes(
    const google::protobuf::RepeatedPtrField<std::string>& scopes) {
  if (scopes.empty()) {
    return InvalidField("scope", "The request must specify a scope.");
  }
  for (const std::string& scope : scopes) {
    const bool good = scope == "openid" || scope == "email" ||
                      scope == "profile" || scope.rfind("https://", 0) == 0;
    if (!good || scope.find(' ') != std::string::npos) {
      return InvalidField("scope", base::StrCat("Invalid scope: ", scope));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> Lifetime(
    const v1::GenerateAccessTokenRequest& request) {
  if (!request.has_lifetime()) return absl::Seconds(kHour);
  const int64_t seconds = request.lifetime().seconds();
  if (seconds <= 0 || request.lifetime().nanos() < 0) {
    return InvalidField("lifetime",
                        "The access token lifetime must be positive.");
  }
  // Longer ones need an organization policy constraint,
  // iam.allowServiceAccountCredentialLifetimeExtension.
  if (seconds > kHour) {
    return InvalidField(
        "lifetime",
        "The access token lifetime cannot exceed 3600 seconds (or 43200 "
        "seconds if the service account is allowed by the constraint "
        "constraints/iam.allowServiceAccountCredentialLifetimeExtension).");
  }
  return absl::Seconds(seconds);
}

absl::Status CheckPayload(std::string_view payload, int64_t now) {
  boost::system::error_code error;
  const boost::json::value claims =
      boost::json::parse({payload.data(), payload.size()}, error);
  if (error || !claims.is_object()) {
    return InvalidField("payload", "The payload must be a JSON object.");
  }
  const boost::json::value* expiry = claims.get_object().if_contains("exp");
  if (expiry == nullptr) return absl::OkStatus();
  if (!expiry->is_number()) {
    return InvalidField("payload", "The claim 'exp' must be a number.");
  }
  const double seconds = expiry->to_number<double>();
  if (seconds <= static_cast<double>(now)) {
    return InvalidField("payload", "The claim 'exp' must be in the future.");
  }
  if (seconds > static_cast<double>(now + kMaxJwtSeconds)) {
    return InvalidField("payload",
                        "The claim 'exp' must be within 12 hours of now.");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AccountRecord> CredentialsService::Target(
    std::string_view name,
    const google::protobuf::RepeatedPtrField<std::string>& delegates) const {
  ASSIGN_OR_RETURN(const AccountName parsed, ParseAccountName(name));
  // "The - wildcard character is required; replacing it with a project ID is
  // invalid."
  if (parsed.project != "-") {
    return InvalidField("name",
                        base::StrCat("Invalid form of account ID ", name,
                                     ". Should be [Gaia ID |Email |Unique ID "
                                     "|] of the account"));
  }
  for (const std::string& delegate : delegates) {
    const absl::StatusOr<AccountName> of =
        delegate.find('/') == std::string::npos
            ? absl::StatusOr<AccountName>(AccountName{"-", delegate})
            : ParseAccountName(delegate);
    RETURN_IF_ERROR(of.status());
    const auto found = options_.accounts->Get(*of);
    if (absl::IsNotFound(found.status())) return NoGaiaId(of->account);
    RETURN_IF_ERROR(found.status());
  }
  absl::StatusOr<AccountRecord> account = options_.accounts->Get(parsed);
  if (absl::IsNotFound(account.status())) return NoGaiaId(parsed.account);
  RETURN_IF_ERROR(account.status());
  if (account->account().disabled()) {
    return absl::FailedPreconditionError(base::StrCat(
        "Service account ", account->account().email(), " is disabled."));
  }
  return account;
}

absl::StatusOr<v1::GenerateAccessTokenResponse>
CredentialsService::GenerateAccessToken(
    const v1::GenerateAccessTokenRequest& request, std::string_view caller) {
  RETURN_IF_ERROR(CheckScopes(request.scope()));
  ASSIGN_OR_RETURN(const absl::Duration lifetime, Lifetime(request));
  ASSIGN_OR_RETURN(const AccountRecord account,
                   Target(request.name(), request.delegates()));
  ASSIGN_OR_RETURN(
      const AccessToken token,
      options_.mint_access_token(
          account.account(), {request.scope().begin(), request.scope().end()},
          lifetime, caller));
  v1::GenerateAccessTokenResponse response;
  response.set_access_token(token.token);
  // Whole seconds: older clients read nothing else.
  *response.mutable_expire_time() =
      TimeUtil::SecondsToTimestamp(absl::ToUnixSeconds(token.expires_at));
  return response;
}

absl::StatusOr<v1::GenerateIdTokenResponse> CredentialsService::GenerateIdToken(
    const v1::GenerateIdTokenRequest& request) {
  if (request.audience().empty()) {
    return InvalidField("audience", "The request must specify an audience.");
  }
  ASSIGN_OR_RETURN(const AccountRecord account,
                   Target(request.name(), request.delegates()));
  v1::GenerateIdTokenResponse response;
  ASSIGN_OR_RETURN(
      *response.mutable_token(),
      options_.sign_identity_token(account.account(), request.audience(),
                                   request.include_email()));
  return response;
}

absl::StatusOr<v1::SignBlobResponse> CredentialsService::SignBlob(
    const v1::SignBlobRequest& request) {
  if (request.payload().empty()) {
    return InvalidField("payload", "The request must specify a payload.");
  }
  ASSIGN_OR_RETURN(const AccountRecord account,
                   Target(request.name(), request.delegates()));
  ASSIGN_OR_RETURN(const KeyStore::Signer signer,
                   options_.keys->SystemKey(account));
  v1::SignBlobResponse response;
  response.set_key_id(signer.key_id);
  response.set_signed_blob(signer.key.Sign(request.payload()));
  return response;
}

absl::StatusOr<v1::SignJwtResponse> CredentialsService::SignJwt(
    const v1::SignJwtRequest& request) {
  RETURN_IF_ERROR(CheckPayload(request.payload(),
                               absl::ToUnixSeconds(options_.clock->Now())));
  ASSIGN_OR_RETURN(const AccountRecord account,
                   Target(request.name(), request.delegates()));
  ASSIGN_OR_RETURN(const KeyStore::Signer signer,
                   options_.keys->SystemKey(account));
  v1::SignJwtResponse response;
  response.set_key_id(signer.key_id);
  response.set_signed_jwt(
      signing::SignJwt(signer.key, signer.key_id, request.payload()));
  return response;
}

absl::StatusOr<brume::iam::ServiceAccountAllowedLocations>
CredentialsService::GetAllowedLocations(
    const brume::iam::GetAllowedLocationsRequest& request) {
  RETURN_IF_ERROR(Target(request.name(), {}).status());
  brume::iam::ServiceAccountAllowedLocations everywhere;
  everywhere.set_encoded_locations("0x0");
  return everywhere;
}

}  // namespace brume::services::iam
