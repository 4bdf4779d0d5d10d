#include "services/oauth/token_endpoint.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/oauth/jwt_times.h"
#include "services/oauth/oauth_errors.h"
#include "services/signing/jwt.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace brume::services::oauth {
namespace {

constexpr std::string_view kJwtBearer =
    "urn:ietf:params:oauth:grant-type:jwt-bearer";
// Google says one second less than the hour that a token lives.
constexpr int64_t kSaidSeconds = 3599;

// Every name under which the endpoint is or was published; each is a right
// audience of an assertion.
constexpr std::array<std::string_view, 5> kAudiences = {
    "https://oauth2.googleapis.com/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://www.googleapis.com/oauth2/v3/token",
    "https://accounts.google.com/o/oauth2/token",
    "https://oauth2.mtls.googleapis.com/token"};

std::string_view Field(const TokenEndpoint::Form& form, std::string_view name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string_view() : found->second;
}

absl::StatusOr<std::string_view> Required(const TokenEndpoint::Form& form,
                                          std::string_view name) {
  const std::string_view value = Field(form, name);
  if (value.empty()) {
    return InvalidRequest(base::StrCat("Missing required parameter: ", name));
  }
  return value;
}

std::vector<std::string> Words(std::string_view text) {
  return absl::StrSplit(base::ToAbsl(text), ' ', absl::SkipEmpty());
}

bool IsScope(const std::string& scope) {
  constexpr std::string_view kScheme = "https://";
  return scope == "openid" || scope == "email" || scope == "profile" ||
         std::string_view(scope).substr(0, kScheme.size()) == kScheme;
}

bool AllScopes(const std::vector<std::string>& scopes) {
  return std::all_of(scopes.begin(), scopes.end(), IsScope);
}

bool Contains(const std::vector<std::string>& scopes, std::string_view scope) {
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

bool WantsEmail(const std::vector<std::string>& scopes) {
  return Contains(scopes, "email") ||
         Contains(scopes, "https://www.googleapis.com/auth/userinfo.email");
}

// In Google's words; the assertion's own faults are not told apart.
absl::Status CheckClaims(const signing::Jwt& jwt, absl::Time now) {
  const signing::JwtClaims& claims = jwt.claims;
  const bool right_audience =
      std::any_of(claims.audiences.begin(), claims.audiences.end(),
                  [](const std::string& audience) {
                    return std::find(kAudiences.begin(), kAudiences.end(),
                                     audience) != kAudiences.end();
                  });
  if (!right_audience) {
    return InvalidGrant(
        base::StrCat("Invalid JWT: Failed audience check. The right audience "
                     "is ",
                     kAudiences[0]));
  }
  if (CheckTimes(claims, now) != JwtTimes::kGood) {
    return InvalidGrant(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
        "reasonable timeframe. Check your iat and exp values in the JWT "
        "claim.");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenEndpoint::Reply> TokenEndpoint::Exchange(const Form& form) {
  const std::string_view grant = Field(form, "grant_type");
  if (grant.empty()) {
    return InvalidRequest("Required parameter is missing: grant_type");
  }
  if (grant == kJwtBearer) return JwtBearer(form);
  if (grant == "refresh_token") return Refresh(form);
  if (grant == "authorization_code") {
    // Nobody signs in by a browser here, so no code was ever given out.
    return InvalidGrant("Malformed auth code.");
  }
  return OAuthError(400, "unsupported_grant_type",
                    base::StrCat("Invalid grant_type: ", grant));
}

absl::StatusOr<TokenEndpoint::Reply> TokenEndpoint::JwtBearer(
    const Form& form) {
  ASSIGN_OR_RETURN(const std::string_view assertion,
                   Required(form, "assertion"));
  const absl::StatusOr<signing::Jwt> jwt = signing::ParseJwt(assertion);
  if (!jwt.ok() || jwt->algorithm != "RS256")
    return InvalidGrant("Bad Request");
  const signing::JwtClaims& claims = jwt->claims;

  const absl::StatusOr<ServiceAccount> account =
      options_.accounts.find(claims.issuer);
  if (absl::IsNotFound(account.status())) {
    return InvalidGrant("Invalid grant: account not found");
  }
  RETURN_IF_ERROR(account.status());
  ASSIGN_OR_RETURN(const auto keys,
                   options_.accounts.keys(account->email, jwt->key_id));
  const bool signed_by_it = std::any_of(
      keys.begin(), keys.end(), [&jwt](const signing::RsaPublicKey& key) {
        return key.Verifies(jwt->signed_part, jwt->signature);
      });
  if (!signed_by_it) return InvalidGrant("Invalid JWT Signature.");
  if (account->disabled) {
    return InvalidGrant("Invalid grant: account is disabled");
  }
  RETURN_IF_ERROR(CheckClaims(*jwt, options_.clock->Now()));
  // Domain-wide delegation needs a Workspace domain.
  if (!claims.subject.empty() && claims.subject != claims.issuer) {
    return UnauthorizedClient();
  }

  Reply reply;
  if (!claims.target_audience.empty()) {
    ASSIGN_OR_RETURN(reply.id_token, options_.identity->Sign(
                                         {.audience = claims.target_audience,
                                          .authorized_party = account->email,
                                          .subject = account->unique_id,
                                          .email = account->email}));
    return reply;
  }
  const std::vector<std::string> scopes = Words(claims.scope);
  if (scopes.empty() || !AllScopes(scopes)) {
    return InvalidScope("Invalid OAuth scope or ID token audience provided.");
  }
  brume::oauth::TokenRecord record;
  record.set_email(account->email);
  record.set_subject(account->unique_id);
  record.set_service_account(true);
  record.set_client_id(account->unique_id);
  record.mutable_scopes()->Assign(scopes.begin(), scopes.end());
  ASSIGN_OR_RETURN(
      const TokenStore::Access access,
      options_.tokens->MintAccess(std::move(record), absl::Hours(1)));
  reply.access_token = access.token;
  reply.expires_in = kSaidSeconds;
  reply.token_type = "Bearer";
  return reply;
}

absl::StatusOr<TokenEndpoint::Reply> TokenEndpoint::Refresh(const Form& form) {
  const std::string_view client_id = Field(form, "client_id");
  if (client_id.empty()) {
    return InvalidRequest("Could not determine client ID from request.");
  }
  ASSIGN_OR_RETURN(const std::string_view token,
                   Required(form, "refresh_token"));
  const absl::StatusOr<brume::oauth::RefreshRecord> found =
      options_.tokens->FindRefresh(token);
  if (absl::IsUnauthenticated(found.status())) {
    return InvalidGrant("Bad Request");
  }
  RETURN_IF_ERROR(found.status());
  if (found->client_id() != client_id) {
    return InvalidClient("The OAuth client was not found.");
  }
  if (found->client_secret_hash() != HashOf(Field(form, "client_secret"))) {
    return InvalidClient("The provided client secret is invalid.");
  }

  std::vector<std::string> scopes = Words(Field(form, "scope"));
  const std::vector<std::string> granted(found->scopes().begin(),
                                         found->scopes().end());
  if (scopes.empty()) scopes = granted;
  // What was granted, "all of Google Cloud" among it, covers every API's scope.
  if (!AllScopes(scopes)) {
    return InvalidScope("Some requested scopes were invalid.");
  }
  brume::oauth::TokenRecord record;
  record.set_email(found->email());
  record.set_subject(found->subject());
  record.set_client_id(found->client_id());
  record.set_refresh_hash(HashOf(token));
  record.mutable_scopes()->Assign(scopes.begin(), scopes.end());
  const absl::StatusOr<TokenStore::Access> access =
      options_.tokens->MintAccess(std::move(record), absl::Hours(1));
  if (absl::IsUnauthenticated(access.status())) {
    return InvalidGrant("Bad Request");
  }
  RETURN_IF_ERROR(access.status());
  Reply reply;
  reply.access_token = access->token;
  reply.expires_in = kSaidSeconds;
  reply.scope = absl::StrJoin(scopes, " ");
  reply.token_type = "Bearer";
  if (Contains(scopes, "openid")) {
    ASSIGN_OR_RETURN(
        reply.id_token,
        options_.identity->Sign(
            {.audience = found->client_id(),
             .authorized_party = found->client_id(),
             .subject = found->subject(),
             .email = WantsEmail(scopes) ? found->email() : std::string()}));
  }
  return reply;
}

}  // namespace brume::services::oauth
