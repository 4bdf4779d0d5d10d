#include "services/signing/jwt.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/status/status.h>
#include <boost/json.hpp>

#include <cmath>

namespace brume::services::signing {
namespace {

namespace json = boost::json;

constexpr size_t kMaxToken = 16 * 1024;

absl::Status Malformed(std::string_view part) {
  return absl::InvalidArgumentError(base::StrCat("read JWT: malformed ", part));
}

// The alphabet of base64url only: a decoder that also takes '+' would accept
// two texts for one token.
bool IsBase64Url(std::string_view text) {
  for (const char c : text) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!ok) return false;
  }
  return true;
}

absl::StatusOr<std::string> Decode(std::string_view text,
                                   std::string_view part) {
  if (!IsBase64Url(text)) return Malformed(part);
  std::optional<std::string> bytes = base::Base64Decode(text);
  if (!bytes.has_value()) return Malformed(part);
  return *std::move(bytes);
}

absl::StatusOr<json::object> DecodeObject(std::string_view text,
                                          std::string_view part) {
  ASSIGN_OR_RETURN(const std::string bytes, Decode(text, part));
  boost::system::error_code error;
  json::value value =
      json::parse(json::string_view(bytes.data(), bytes.size()), error);
  if (error || !value.is_object()) return Malformed(part);
  return std::move(value.get_object());
}

absl::Status ReadText(const json::object& from, std::string_view name,
                      std::string* out) {
  const json::value* value = from.if_contains({name.data(), name.size()});
  if (value == nullptr) return absl::OkStatus();
  const json::string* text = value->if_string();
  if (text == nullptr) {
    return Malformed(base::StrCat("claim '", name, "': not a string"));
  }
  out->assign(text->data(), text->size());
  return absl::OkStatus();
}

absl::Status ReadSeconds(const json::object& from, std::string_view name,
                         std::optional<int64_t>* out) {
  const json::value* value = from.if_contains({name.data(), name.size()});
  if (value == nullptr) return absl::OkStatus();
  if (const int64_t* whole = value->if_int64()) {
    *out = *whole;
    return absl::OkStatus();
  }
  // Some libraries send a fraction of a second.
  const double* real = value->if_double();
  if (real != nullptr && std::abs(*real) < 1e15) {
    *out = static_cast<int64_t>(*real);
    return absl::OkStatus();
  }
  return Malformed(base::StrCat("claim '", name, "': not a number"));
}

absl::Status ReadAudience(const json::object& from,
                          std::vector<std::string>* out) {
  const json::value* value = from.if_contains("aud");
  if (value == nullptr) return absl::OkStatus();
  if (const json::string* one = value->if_string()) {
    out->emplace_back(one->data(), one->size());
    return absl::OkStatus();
  }
  const json::array* several = value->if_array();
  if (several == nullptr) return Malformed("claim 'aud': not a string");
  for (const json::value& each : *several) {
    const json::string* text = each.if_string();
    if (text == nullptr) return Malformed("claim 'aud': not a string");
    out->emplace_back(text->data(), text->size());
  }
  return absl::OkStatus();
}

absl::StatusOr<JwtClaims> ReadClaims(const json::object& from) {
  JwtClaims claims;
  RETURN_IF_ERROR(ReadText(from, "iss", &claims.issuer));
  RETURN_IF_ERROR(ReadText(from, "sub", &claims.subject));
  RETURN_IF_ERROR(ReadAudience(from, &claims.audiences));
  RETURN_IF_ERROR(ReadSeconds(from, "iat", &claims.issued_at));
  RETURN_IF_ERROR(ReadSeconds(from, "exp", &claims.expires_at));
  RETURN_IF_ERROR(ReadText(from, "scope", &claims.scope));
  RETURN_IF_ERROR(ReadText(from, "target_audience", &claims.target_audience));
  RETURN_IF_ERROR(ReadText(from, "email", &claims.email));
  RETURN_IF_ERROR(ReadText(from, "azp", &claims.authorized_party));
  const json::value* verified = from.if_contains("email_verified");
  if (verified != nullptr && verified->is_bool()) {
    claims.email_verified = verified->get_bool();
  }
  return claims;
}

}  // namespace

bool LooksLikeJwt(std::string_view token) {
  if (!token.starts_with("eyJ")) return false;  // '{"'
  const size_t first = token.find('.');
  if (first == std::string_view::npos) return false;
  const size_t second = token.find('.', first + 1);
  return second != std::string_view::npos &&
         token.find('.', second + 1) == std::string_view::npos;
}

absl::StatusOr<Jwt> ParseJwt(std::string_view token) {
  if (token.size() > kMaxToken) return Malformed("token: too long");
  const size_t first = token.find('.');
  if (first == std::string_view::npos) return Malformed("token: not 3 parts");
  const size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos) {
    return Malformed("token: not 3 parts");
  }
  Jwt jwt;
  ASSIGN_OR_RETURN(const json::object header,
                   DecodeObject(token.substr(0, first), "header"));
  RETURN_IF_ERROR(ReadText(header, "alg", &jwt.algorithm));
  RETURN_IF_ERROR(ReadText(header, "kid", &jwt.key_id));
  ASSIGN_OR_RETURN(
      const json::object payload,
      DecodeObject(token.substr(first + 1, second - first - 1), "payload"));
  ASSIGN_OR_RETURN(jwt.claims, ReadClaims(payload));
  ASSIGN_OR_RETURN(jwt.signature,
                   Decode(token.substr(second + 1), "signature"));
  jwt.signed_part = std::string(token.substr(0, second));
  return jwt;
}

std::string SignJwt(const RsaPrivateKey& key, std::string_view key_id,
                    std::string_view claims) {
  const json::object header = {
      {"alg", "RS256"},
      {"kid", json::string_view(key_id.data(), key_id.size())},
      {"typ", "JWT"}};
  std::string token =
      base::StrCat(base::Base64UrlEncode(json::serialize(header)), ".",
                   base::Base64UrlEncode(claims));
  const std::string signature = base::Base64UrlEncode(key.Sign(token));
  base::StrAppend(&token, ".", signature);
  return token;
}

}  // namespace brume::services::signing
