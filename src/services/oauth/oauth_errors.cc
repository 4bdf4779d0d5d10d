#include "services/oauth/oauth_errors.h"

#include "base/str_cat.h"
#include "services/errors/errors.h"

namespace brume::services::oauth {

absl::Status OAuthError(int http_status, std::string_view error,
                        std::string_view description) {
  const absl::StatusCode code = http_status == 401
                                    ? absl::StatusCode::kUnauthenticated
                                    : absl::StatusCode::kInvalidArgument;
  return WithReason(absl::Status(code, base::ToAbsl(description)), error,
                    kErrorDomain, {{"httpStatus", base::StrCat(http_status)}});
}

absl::Status InvalidGrant(std::string_view description) {
  return OAuthError(400, "invalid_grant", description);
}
absl::Status InvalidRequest(std::string_view description) {
  return OAuthError(400, "invalid_request", description);
}
absl::Status InvalidScope(std::string_view description) {
  return OAuthError(400, "invalid_scope", description);
}
absl::Status InvalidClient(std::string_view description) {
  return OAuthError(401, "invalid_client", description);
}
absl::Status UnauthorizedClient() {
  return OAuthError(
      401, "unauthorized_client",
      "Client is unauthorized to retrieve access tokens using this method, or "
      "client not authorized for any of the scopes requested.");
}
absl::Status InvalidToken(std::string_view description) {
  return OAuthError(400, "invalid_token", description);
}

}  // namespace brume::services::oauth
