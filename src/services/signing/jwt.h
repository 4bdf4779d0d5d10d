#pragma once

#include "services/signing/rsa.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// JSON Web Tokens (RFC 7519) in compact form, signed with RS256: the assertions
// of service accounts, self-signed access tokens and identity tokens.
namespace brume::services::signing {

struct JwtClaims {
  std::string issuer;
  std::string subject;
  std::vector<std::string> audiences;  // "aud", one or several
  std::optional<int64_t> issued_at;    // seconds since 1970
  std::optional<int64_t> expires_at;
  std::string scope;
  std::string target_audience;
  std::string email;
  bool email_verified = false;
  std::string authorized_party;  // "azp"
};

// A token taken apart; nothing about it is verified yet.
struct Jwt {
  std::string algorithm;
  std::string key_id;
  JwtClaims claims;
  std::string signed_part;
  std::string signature;  // decoded
};

// Whether a bearer token has the form of a JWT, so that it is one or nothing.
bool LooksLikeJwt(std::string_view token);

// INVALID_ARGUMENT names the part that is wrong. Tokens of more than 16 KiB are
// refused. Claims of an unexpected JSON type are errors, unknown ones ignored.
absl::StatusOr<Jwt> ParseJwt(std::string_view token);

// `claims` is the text of a JSON object. The header is {alg,kid,typ}.
std::string SignJwt(const RsaPrivateKey& key, std::string_view key_id,
                    std::string_view claims);

}  // namespace brume::services::signing
