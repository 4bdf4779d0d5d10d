#include "services/oauth/authenticator.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/oauth/jwt_times.h"
#include "services/signing/jwt.h"

#include <absl/strings/str_split.h>

#include <algorithm>
#include <utility>

namespace brume::services::oauth {
namespace {

absl::Status Refused(std::string_view why) {
  return absl::UnauthenticatedError(base::ToAbsl(why));
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         text.substr(text.size() - end.size()) == end;
}

std::vector<std::string> Words(std::string_view text) {
  return absl::StrSplit(base::ToAbsl(text), ' ', absl::SkipEmpty());
}

}  // namespace

bool AudienceCovers(std::string_view audience, std::string_view host) {
  constexpr std::string_view kScheme = "https://";
  constexpr std::string_view kDomain = ".googleapis.com";
  if (audience.substr(0, kScheme.size()) != kScheme) return false;
  std::string_view service = audience.substr(kScheme.size());
  // A service may stand alone or with a path (a method's name).
  service = service.substr(0, service.find('/'));
  if (!EndsWith(service, kDomain)) return false;
  if (host.empty() || host == service) return true;
  if (EndsWith(host, base::StrCat("-", service))) return true;
  const std::string_view name =
      service.substr(0, service.size() - kDomain.size());
  return host == base::StrCat(name, ".mtls", kDomain) ||
         (host.substr(0, name.size() + 1) == base::StrCat(name, ".") &&
          EndsWith(host, ".rep.googleapis.com"));
}

absl::StatusOr<Holder> Authenticator::Authenticate(
    std::string_view token, std::string_view host) const {
  if (token.empty()) return Refused("no token");
  if (signing::LooksLikeJwt(token)) return SelfSigned(token, host);
  return Opaque(token);
}

absl::StatusOr<Holder> Authenticator::Opaque(std::string_view token) const {
  ASSIGN_OR_RETURN(const brume::oauth::TokenRecord record,
                   options_.tokens->FindAccess(token));
  if (record.service_account()) {
    const absl::StatusOr<ServiceAccount> account =
        options_.accounts.find(record.email());
    if (absl::IsNotFound(account.status())) return Refused("account deleted");
    RETURN_IF_ERROR(account.status());
    // The e-mail may have been taken anew.
    if (account->unique_id != record.subject()) {
      return Refused("account deleted");
    }
    if (account->disabled) return Refused("account disabled");
  }
  Holder holder;
  holder.email = record.email();
  holder.subject = record.subject();
  holder.service_account = record.service_account();
  holder.impersonator = record.impersonator();
  holder.scopes.assign(record.scopes().begin(), record.scopes().end());
  holder.client_id = record.client_id();
  holder.expires_at = absl::FromUnixSeconds(record.expires_at());
  return holder;
}

absl::StatusOr<Holder> Authenticator::SelfSigned(std::string_view token,
                                                 std::string_view host) const {
  const absl::StatusOr<signing::Jwt> jwt = signing::ParseJwt(token);
  if (!jwt.ok()) return Refused(base::ToStd(jwt.status().message()));
  const signing::JwtClaims& claims = jwt->claims;
  if (jwt->algorithm != "RS256") return Refused("JWT: algorithm is not RS256");
  if (claims.issuer.empty() || claims.issuer != claims.subject) {
    return Refused("JWT: iss and sub differ");
  }
  const absl::StatusOr<ServiceAccount> account =
      options_.accounts.find(claims.issuer);
  if (absl::IsNotFound(account.status())) return Refused("JWT: no account");
  RETURN_IF_ERROR(account.status());
  if (account->disabled) return Refused("account disabled");

  ASSIGN_OR_RETURN(const auto keys,
                   options_.accounts.keys(account->email, jwt->key_id));
  const bool signed_by_it = std::any_of(
      keys.begin(), keys.end(), [&jwt](const signing::RsaPublicKey& key) {
        return key.Verifies(jwt->signed_part, jwt->signature);
      });
  if (!signed_by_it) return Refused("JWT: signature is wrong");

  const bool covers =
      !claims.scope.empty() ||
      std::any_of(claims.audiences.begin(), claims.audiences.end(),
                  [host](const std::string& audience) {
                    return AudienceCovers(audience, host);
                  });
  if (!covers) return Refused("JWT: audience is another service");

  switch (CheckTimes(claims, options_.clock->Now())) {
    case JwtTimes::kUnreasonable:
      return Refused("JWT: iat and exp are not within an hour of now");
    case JwtTimes::kExpired:
      return Refused("JWT expired");
    case JwtTimes::kGood:
      break;
  }

  Holder holder;
  holder.email = account->email;
  holder.subject = account->unique_id;
  holder.service_account = true;
  holder.scopes = Words(claims.scope);
  holder.expires_at = absl::FromUnixSeconds(*claims.expires_at);
  return holder;
}

}  // namespace brume::services::oauth
