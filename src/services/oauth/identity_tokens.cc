#include "services/oauth/identity_tokens.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "services/signing/jwt.h"
#include "store/kv/key.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace brume::services::oauth {
namespace {

using brume::oauth::SigningKeyRecord;

constexpr int64_t kLifetimeSeconds = 3600;

boost::json::string_view Text(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

absl::StatusOr<IdentityTokens::Loaded> IdentityTokens::Load() {
  absl::MutexLock lock(&mutex_);
  if (loaded_) return *loaded_;
  const std::string key = store::Key("oauth.signing_key").str();
  ASSIGN_OR_RETURN(std::optional<std::string> row, options_.kv->Get(key));
  if (!row) {
    const signing::RsaPrivateKey made = signing::RsaPrivateKey::Generate();
    const absl::Time now = options_.clock->Now();
    SigningKeyRecord record;
    record.set_id(base::RandomHex(40));
    record.set_private_key_pem(made.Pkcs8Pem());
    record.set_certificate_pem(made.CertificatePem(
        "federated-signon.system.gserviceaccount.com", now - absl::Hours(1),
        now + absl::Hours(24 * 3650)));
    row = record.SerializeAsString();
    RETURN_IF_ERROR(options_.kv->Transact(
        [&](store::KvTransaction& txn) { return txn.Put(key, *row); }));
  }
  SigningKeyRecord record;
  if (!record.ParseFromString(*row)) {
    return absl::DataLossError("read signing key: malformed");
  }
  ASSIGN_OR_RETURN(signing::RsaPrivateKey private_key,
                   signing::RsaPrivateKey::FromPem(record.private_key_pem()));
  loaded_ = Loaded{std::move(record), std::move(private_key)};
  return *loaded_;
}

absl::StatusOr<std::string> IdentityTokens::Sign(const Claims& claims) {
  ASSIGN_OR_RETURN(const Loaded signer, Load());
  const int64_t now = absl::ToUnixSeconds(options_.clock->Now());
  boost::json::object body;
  body["aud"] = Text(claims.audience);
  body["azp"] = Text(claims.authorized_party);
  if (!claims.email.empty()) {
    body["email"] = Text(claims.email);
    body["email_verified"] = true;
  }
  body["exp"] = now + kLifetimeSeconds;
  body["iat"] = now;
  body["iss"] = "https://accounts.google.com";
  body["sub"] = Text(claims.subject);
  return signing::SignJwt(signer.key, signer.record.id(),
                          boost::json::serialize(body));
}

absl::StatusOr<IdentityTokens::PublicKey> IdentityTokens::Key() {
  ASSIGN_OR_RETURN(const Loaded signer, Load());
  return PublicKey{signer.record.id(), signer.record.certificate_pem(),
                   signer.key.PublicKey()};
}

}  // namespace brume::services::oauth
