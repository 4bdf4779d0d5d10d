#include "api/oauth/oauth_surface.h"

#include "api/http_error.h"
#include "api/oauth/certificates.h"
#include "api/oauth/replies.h"
#include "api/oauth/request.h"
#include "api/oauth/token_calls.h"
#include "api/oauth/token_info.h"
#include "api/query_string.h"

#include <array>
#include <utility>

namespace brume::api::oauth {
namespace {

// Forms with an assertion or a token in them.
constexpr size_t kMostForm = 64 << 10;

using Call = Response (*)(const Services&, const Request&);

struct Route {
  std::string_view path;
  bool prefix = false;  // the rest of the path is Request::rest
  bool get = false;
  bool post = false;
  Call call = nullptr;
};

constexpr std::array<Route, 26> kRoutes = {{
    {"/token", false, false, true, Token},
    {"/o/oauth2/token", false, false, true, Token},
    {"/oauth2/v3/token", false, false, true, Token},
    {"/oauth2/v4/token", false, false, true, Token},
    {"/revoke", false, true, true, Revoke},
    {"/o/oauth2/revoke", false, true, true, Revoke},
    {"/tokeninfo", false, true, true, TokenInfoV3},
    {"/oauth2/v1/tokeninfo", false, true, true, TokenInfoV1},
    {"/oauth2/v2/tokeninfo", false, true, true, TokenInfoV1},
    {"/oauth2/v3/tokeninfo", false, true, true, TokenInfoV3},
    {"/oauth2/v1/userinfo", false, true, true, UserInfoV2},
    {"/oauth2/v2/userinfo", false, true, true, UserInfoV2},
    {"/userinfo/v2/me", false, true, true, UserInfoV2},
    {"/oauth2/v3/userinfo", false, true, true, UserInfoV3},
    {"/v1/userinfo", false, true, true, UserInfoV3},
    {"/oauth2/v1/certs", false, true, false, GoogleX509},
    {"/oauth2/v3/certs", false, true, false, GoogleJwk},
    {"/robot/v1/metadata/x509/", true, true, false, AccountX509},
    {"/robot/v1/metadata/jwk/", true, true, false, AccountJwk},
    {"/service_accounts/v1/metadata/x509/", true, true, false, AccountX509},
    {"/service_accounts/v1/metadata/jwk/", true, true, false, AccountJwk},
    {"/service_accounts/v1/jwk/", true, true, false, AccountJwk},
    {"/.well-known/openid-configuration", false, true, false, Discovery},
    {"/o/oauth2/auth", false, true, true, SignIn},
    {"/o/oauth2/v2/auth", false, true, true, SignIn},
    {"/device/code", false, false, true, SignIn},
}};

const Route* FindRoute(std::string_view path, std::string* rest) {
  for (const Route& route : kRoutes) {
    if (route.prefix && path.substr(0, route.path.size()) == route.path) {
      *rest = path.substr(route.path.size());
      return &route;
    }
    if (path == route.path) return &route;
  }
  return nullptr;
}

bool IsOAuthHost(std::string_view host) {
  return host == "oauth2.googleapis.com" ||
         host == "oauth2.mtls.googleapis.com" ||
         host == "openidconnect.googleapis.com" ||
         host == "accounts.google.com";
}

}  // namespace

bool OAuthSurface::Owns(const RequestHead& head) const {
  if (IsOAuthHost(head.host)) return true;
  std::string rest;
  return head.host == "www.googleapis.com" &&
         FindRoute(PathOf(head.target), &rest) != nullptr;
}

Begun OAuthSurface::Begin(RequestHead head) {
  Request request;
  const Route* const route = FindRoute(PathOf(head.target), &request.rest);
  if (route == nullptr) {
    return JsonError(absl::NotFoundError("Not Found"));
  }
  const bool post = head.method == "POST" && route->post;
  const bool get =
      (head.method == "GET" || head.method == "HEAD") && route->get;
  if (!post && !get) {
    Response refused = JsonError(
        405, absl::UnimplementedError("The method is not allowed here."));
    refused.headers.Add("Allow", !route->post  ? "GET"
                                 : !route->get ? "POST"
                                               : "GET, POST");
    return refused;
  }
  request.head = std::move(head);
  if (get) {
    const absl::Status read = ReadFields("", &request);
    if (!read.ok()) return ErrorReply(read);
    return route->call(services_, request);
  }
  return BufferBody(
      kMostForm,
      [services = &services_, call = route->call, request = std::move(request)](
          const std::string& body) mutable -> Outcome {
        const absl::Status read = ReadFields(body, &request);
        if (!read.ok()) return ErrorReply(read);
        return call(*services, request);
      });
}

}  // namespace brume::api::oauth
