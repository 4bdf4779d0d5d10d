#include "api/oauth/token_calls.h"

#include "api/oauth/replies.h"
#include "services/oauth/oauth_errors.h"

namespace brume::api::oauth {

Response Token(const Services& services, const Request& request) {
  const auto given = services.endpoint->Exchange(request.fields);
  if (!given.ok()) return ErrorReply(given.status());
  boost::json::object body;
  if (!given->access_token.empty()) {
    body["access_token"] = given->access_token;
    body["expires_in"] = given->expires_in;
    if (!given->scope.empty()) body["scope"] = given->scope;
    body["token_type"] = given->token_type;
  }
  if (!given->id_token.empty()) body["id_token"] = given->id_token;
  return Reply(body);
}

Response Revoke(const Services& services, const Request& request) {
  const std::string_view token = request.Field("token");
  if (token.empty()) {
    return ErrorReply(services::oauth::InvalidRequest(
        "Required parameter is missing: token"));
  }
  const absl::Status revoked = services.tokens->Revoke(token);
  if (absl::IsUnauthenticated(revoked)) {
    return ErrorReply(
        services::oauth::InvalidToken("Token expired or revoked"));
  }
  if (!revoked.ok()) return ErrorReply(revoked);
  return Reply({});
}

Response SignIn(const Services&, const Request&) {
  return ErrorReply(services::oauth::OAuthError(
      400, "access_denied",
      "sign in by browser: not served here; `brume run` and `brume env` sign "
      "the owner in for gcloud and the client libraries"));
}

}  // namespace brume::api::oauth
