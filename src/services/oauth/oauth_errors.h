#pragma once

#include <absl/status/status.h>

#include <string_view>

// Errors of the token endpoint (RFC 6749, 5.2) in Google's words. `error` and
// the HTTP status ride along as google.rpc.ErrorInfo with domain
// "oauth2.googleapis.com": reason "invalid_grant", metadata "httpStatus".
namespace brume::services::oauth {

inline constexpr std::string_view kErrorDomain = "oauth2.googleapis.com";

absl::Status OAuthError(int http_status, std::string_view error,
                        std::string_view description);

// 400.
absl::Status InvalidGrant(std::string_view description);
absl::Status InvalidRequest(std::string_view description);
absl::Status InvalidScope(std::string_view description);
// 401.
absl::Status InvalidClient(std::string_view description);
absl::Status UnauthorizedClient();
// 400, of tokeninfo and revoke.
absl::Status InvalidToken(std::string_view description);

}  // namespace brume::services::oauth
