#include "api/oauth/token_info.h"

#include "api/http_error.h"
#include "api/oauth/replies.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/oauth/oauth_errors.h"
#include "services/signing/jwt.h"

#include <absl/strings/match.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <string>

namespace brume::api::oauth {
namespace {

using services::oauth::Holder;

bool HasScope(const Holder& holder, std::string_view scope) {
  return std::find(holder.scopes.begin(), holder.scopes.end(), scope) !=
         holder.scopes.end();
}
bool ShowsEmail(const Holder& holder) {
  return HasScope(holder, "email") ||
         HasScope(holder, "https://www.googleapis.com/auth/userinfo.email");
}
bool ShowsIdentity(const Holder& holder) {
  return ShowsEmail(holder) || HasScope(holder, "openid") ||
         HasScope(holder, "profile") ||
         HasScope(holder, "https://www.googleapis.com/auth/userinfo.profile");
}

int64_t Left(const Services& services, absl::Time expires_at) {
  return std::max<int64_t>(
      0, absl::ToInt64Seconds(expires_at - services.clock->Now()));
}

// The token of the query, the form, or the Authorization header.
std::string BearerOf(const Request& request) {
  const std::string_view field = request.Field("access_token");
  if (!field.empty()) return std::string(field);
  const std::string_view header =
      request.head.headers.Get("authorization").value_or("");
  constexpr std::string_view kBearer = "bearer ";
  if (!absl::StartsWithIgnoreCase(base::ToAbsl(header),
                                  base::ToAbsl(kBearer))) {
    return "";
  }
  return std::string(header.substr(kBearer.size()));
}

absl::StatusOr<Holder> HolderOf(const Services& services,
                                const std::string& token) {
  const auto holder =
      services.authenticator->Authenticate(token, "oauth2.googleapis.com");
  if (absl::IsUnauthenticated(holder.status())) {
    return services::oauth::InvalidToken("Invalid Value");
  }
  return holder;
}

// An identity token that was signed here and still lives.
absl::StatusOr<boost::json::object> IdTokenInfo(const Services& services,
                                                std::string_view token) {
  const absl::Status invalid = services::oauth::InvalidToken("Invalid Value");
  const absl::StatusOr<services::signing::Jwt> jwt =
      services::signing::ParseJwt(token);
  if (!jwt.ok()) return invalid;
  ASSIGN_OR_RETURN(const auto key, services.identity->Key());
  const services::signing::JwtClaims& claims = jwt->claims;
  if (jwt->key_id != key.id ||
      !key.key.Verifies(jwt->signed_part, jwt->signature) ||
      !claims.expires_at || !claims.issued_at ||
      *claims.expires_at <= absl::ToUnixSeconds(services.clock->Now())) {
    return invalid;
  }
  boost::json::object body;
  body["aud"] =
      claims.audiences.empty() ? std::string() : claims.audiences.front();
  body["azp"] = claims.authorized_party;
  if (!claims.email.empty()) {
    body["email"] = claims.email;
    body["email_verified"] = claims.email_verified ? "true" : "false";
  }
  body["exp"] = base::StrCat(*claims.expires_at);
  body["iat"] = base::StrCat(*claims.issued_at);
  body["iss"] = claims.issuer;
  body["sub"] = claims.subject;
  body["alg"] = jwt->algorithm;
  body["kid"] = jwt->key_id;
  body["typ"] = "JWT";
  return body;
}

absl::StatusOr<boost::json::object> InfoV1(const Services& services,
                                           const Request& request) {
  ASSIGN_OR_RETURN(const Holder holder, HolderOf(services, BearerOf(request)));
  boost::json::object body;
  body["issued_to"] = holder.client_id;
  body["audience"] = holder.client_id;
  if (ShowsIdentity(holder)) body["user_id"] = holder.subject;
  body["scope"] = absl::StrJoin(holder.scopes, " ");
  body["expires_in"] = Left(services, holder.expires_at);
  if (ShowsEmail(holder)) {
    body["email"] = holder.email;
    body["verified_email"] = true;
  }
  body["access_type"] = holder.service_account ? "online" : "offline";
  return body;
}

absl::StatusOr<boost::json::object> InfoV3(const Services& services,
                                           const Request& request) {
  const std::string_view id_token = request.Field("id_token");
  if (!id_token.empty()) return IdTokenInfo(services, id_token);
  ASSIGN_OR_RETURN(const Holder holder, HolderOf(services, BearerOf(request)));
  boost::json::object body;
  body["azp"] = holder.client_id;
  body["aud"] = holder.client_id;
  if (ShowsIdentity(holder)) body["sub"] = holder.subject;
  body["scope"] = absl::StrJoin(holder.scopes, " ");
  body["exp"] = base::StrCat(absl::ToUnixSeconds(holder.expires_at));
  body["expires_in"] = base::StrCat(Left(services, holder.expires_at));
  if (ShowsEmail(holder)) {
    body["email"] = holder.email;
    body["email_verified"] = "true";
  }
  body["access_type"] = holder.service_account ? "online" : "offline";
  return body;
}

Response InfoReply(const absl::StatusOr<boost::json::object>& info) {
  return info.ok() ? Reply(*info) : ErrorReply(info.status());
}

absl::Status TooNarrow() {
  return services::WithReason(
      absl::PermissionDeniedError(
          "Request had insufficient authentication scopes."),
      "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com");
}

}  // namespace

Response TokenInfoV1(const Services& services, const Request& request) {
  return InfoReply(InfoV1(services, request));
}

Response TokenInfoV3(const Services& services, const Request& request) {
  return InfoReply(InfoV3(services, request));
}

Response UserInfoV2(const Services& services, const Request& request) {
  const absl::StatusOr<Holder> holder = services.authenticator->Authenticate(
      BearerOf(request), "oauth2.googleapis.com");
  if (absl::IsUnauthenticated(holder.status())) {
    return JsonError(absl::UnauthenticatedError(
        "Request is missing required authentication credential. Expected OAuth "
        "2 access token, login cookie or other valid authentication "
        "credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-"
        "project."));
  }
  if (!holder.ok()) return ErrorReply(holder.status());
  if (!ShowsIdentity(*holder)) return JsonError(TooNarrow());
  boost::json::object body;
  body["id"] = holder->subject;
  if (ShowsEmail(*holder)) {
    body["email"] = holder->email;
    body["verified_email"] = true;
  }
  return Reply(body);
}

Response UserInfoV3(const Services& services, const Request& request) {
  const absl::StatusOr<Holder> holder = services.authenticator->Authenticate(
      BearerOf(request), "openidconnect.googleapis.com");
  if (absl::IsUnauthenticated(holder.status())) {
    Response refused = ErrorReply(services::oauth::OAuthError(
        401, "invalid_request", "Invalid Credentials"));
    refused.headers.Set(
        "WWW-Authenticate",
        "Bearer realm=\"https://accounts.google.com/\", error=invalid_token");
    return refused;
  }
  if (!holder.ok()) return ErrorReply(holder.status());
  if (!ShowsIdentity(*holder)) return JsonError(TooNarrow());
  boost::json::object body;
  body["sub"] = holder->subject;
  if (ShowsEmail(*holder)) {
    body["email"] = holder->email;
    body["email_verified"] = true;
  }
  return Reply(body);
}

}  // namespace brume::api::oauth
