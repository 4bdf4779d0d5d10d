#pragma once

#include "base/clock.h"
#include "services/oauth/accounts.h"
#include "services/signing/jwt.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>

// A service account of a test's own, with one key.
namespace brume::services::oauth {

class TestAccount {
 public:
  static constexpr char kEmail[] = "ml@my-project.iam.gserviceaccount.com";
  static constexpr char kId[] = "100000000000000000001";
  static constexpr char kKeyId[] = "aaaa";

  Accounts accounts() {
    Accounts out;
    out.find = [this](std::string_view who) -> absl::StatusOr<ServiceAccount> {
      if (who != kEmail && who != kId) return absl::NotFoundError("nobody");
      return ServiceAccount{kEmail, id, "my-project", disabled};
    };
    out.keys = [this](std::string_view email, std::string_view key_id)
        -> absl::StatusOr<std::vector<signing::RsaPublicKey>> {
      std::vector<signing::RsaPublicKey> keys;
      if (email == kEmail && (key_id == kKeyId || key_id.empty())) {
        keys.push_back(key.PublicKey());
      }
      return keys;
    };
    return out;
  }

  // Claims of a good assertion of `now`.
  static boost::json::object Claims(absl::Time now) {
    boost::json::object claims;
    claims["iss"] = kEmail;
    claims["iat"] = absl::ToUnixSeconds(now);
    claims["exp"] = absl::ToUnixSeconds(now) + 3600;
    return claims;
  }
  std::string Sign(const boost::json::object& claims,
                   std::string_view key_id = kKeyId) const {
    return signing::SignJwt(key, key_id, boost::json::serialize(claims));
  }

  signing::RsaPrivateKey key = signing::RsaPrivateKey::Generate();
  std::string id = kId;
  bool disabled = false;
};

}  // namespace brume::services::oauth
