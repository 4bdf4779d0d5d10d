#include "api/oauth/certificates.h"

#include "api/http_error.h"
#include "api/oauth/replies.h"
#include "base/encoding.h"
#include "base/status_macros.h"
#include "services/signing/rsa.h"

#include <boost/json/array.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace brume::api::oauth {
namespace {

using services::signing::RsaPublicKey;

// Keys may be cached, as Google's are.
Response Cached(const boost::json::object& body) {
  Response response = JsonResponse(200, body);
  response.headers.Set("Cache-Control",
                       "public, max-age=3600, must-revalidate, no-transform");
  return response;
}

absl::StatusOr<boost::json::object> Jwk(std::string_view key_id,
                                        const std::string& certificate) {
  ASSIGN_OR_RETURN(const RsaPublicKey key, RsaPublicKey::FromPem(certificate));
  boost::json::object out;
  out["kty"] = "RSA";
  out["alg"] = "RS256";
  out["use"] = "sig";
  out["kid"] = std::string(key_id);
  out["n"] = base::Base64UrlEncode(key.Modulus());
  out["e"] = base::Base64UrlEncode(key.Exponent());
  return out;
}

absl::StatusOr<std::vector<Certificate>> OfGoogle(const Services& services) {
  ASSIGN_OR_RETURN(const auto key, services.identity->Key());
  return std::vector<Certificate>{{key.id, key.certificate_pem}};
}

absl::StatusOr<std::vector<Certificate>> OfAccount(const Services& services,
                                                   const Request& request) {
  const std::optional<std::string> email = base::PercentDecode(request.rest);
  if (!email) return absl::NotFoundError("Not Found");
  return services.certificates(*email);
}

Response X509Reply(const absl::StatusOr<std::vector<Certificate>>& keys) {
  if (!keys.ok()) return JsonError(keys.status());
  boost::json::object body;
  for (const Certificate& key : *keys) body[key.key_id] = key.pem;
  return Cached(body);
}

Response JwkReply(const absl::StatusOr<std::vector<Certificate>>& keys) {
  if (!keys.ok()) return JsonError(keys.status());
  boost::json::array out;
  for (const Certificate& key : *keys) {
    absl::StatusOr<boost::json::object> jwk = Jwk(key.key_id, key.pem);
    if (!jwk.ok()) return JsonError(jwk.status());
    out.push_back(*std::move(jwk));
  }
  boost::json::object body;
  body["keys"] = std::move(out);
  return Cached(body);
}

boost::json::array Texts(std::initializer_list<const char*> texts) {
  boost::json::array out;
  for (const char* text : texts) out.push_back(text);
  return out;
}

}  // namespace

Response GoogleX509(const Services& services, const Request&) {
  return X509Reply(OfGoogle(services));
}
Response GoogleJwk(const Services& services, const Request&) {
  return JwkReply(OfGoogle(services));
}
Response AccountX509(const Services& services, const Request& request) {
  return X509Reply(OfAccount(services, request));
}
Response AccountJwk(const Services& services, const Request& request) {
  return JwkReply(OfAccount(services, request));
}

Response Discovery(const Services&, const Request&) {
  boost::json::object body;
  body["issuer"] = "https://accounts.google.com";
  body["authorization_endpoint"] =
      "https://accounts.google.com/o/oauth2/v2/auth";
  body["device_authorization_endpoint"] =
      "https://oauth2.googleapis.com/device/code";
  body["token_endpoint"] = "https://oauth2.googleapis.com/token";
  body["userinfo_endpoint"] =
      "https://openidconnect.googleapis.com/v1/userinfo";
  body["revocation_endpoint"] = "https://oauth2.googleapis.com/revoke";
  body["jwks_uri"] = "https://www.googleapis.com/oauth2/v3/certs";
  body["response_types_supported"] = Texts({"code", "token", "id_token"});
  body["subject_types_supported"] = Texts({"public"});
  body["id_token_signing_alg_values_supported"] = Texts({"RS256"});
  body["scopes_supported"] = Texts({"openid", "email", "profile"});
  body["token_endpoint_auth_methods_supported"] =
      Texts({"client_secret_post", "client_secret_basic"});
  body["claims_supported"] =
      Texts({"aud", "email", "email_verified", "exp", "iat", "iss", "sub"});
  body["grant_types_supported"] =
      Texts({"refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"});
  return Cached(body);
}

}  // namespace brume::api::oauth
