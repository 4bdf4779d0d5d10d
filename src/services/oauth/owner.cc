#include "services/oauth/owner.h"

#include "base/encoding.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/key.h"

#include <array>
#include <optional>

namespace brume::services::oauth {
namespace {

using brume::oauth::OwnerRecord;
using brume::oauth::RefreshRecord;

// What `gcloud auth login` asks for and is granted.
constexpr std::array<std::string_view, 7> kScopes = {
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/appengine.admin",
    "https://www.googleapis.com/auth/sqlservice.login",
    "https://www.googleapis.com/auth/compute",
    "https://www.googleapis.com/auth/accounts.reauth"};

OwnerRecord NewOwner() {
  OwnerRecord owner;
  owner.set_email(std::string(kOwnerEmail));
  owner.set_subject(base::RandomDigits(21));
  owner.set_client_id(base::StrCat(base::RandomDigits(12), "-",
                                   base::RandomHex(32),
                                   ".apps.googleusercontent.com"));
  owner.set_client_secret(
      base::StrCat("GOCSPX-", base::Base64UrlEncode(base::RandomBytes(21))));
  return owner;
}

}  // namespace

absl::StatusOr<OwnerCredentials> EnsureOwner(store::KvStore& kv) {
  const std::string key = store::Key("oauth.owner").str();
  OwnerRecord owner;
  RETURN_IF_ERROR(kv.Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(key));
    if (row) {
      if (!owner.ParseFromString(*row)) {
        return absl::DataLossError("read owner record: malformed");
      }
      const std::string refresh =
          store::Key("oauth.refresh").Add(HashOf(owner.refresh_token())).str();
      ASSIGN_OR_RETURN(const auto known, txn.Get(refresh));
      if (known) return absl::OkStatus();
    } else {
      owner = NewOwner();
    }
    RefreshRecord refresh;
    refresh.set_email(owner.email());
    refresh.set_subject(owner.subject());
    refresh.set_client_id(owner.client_id());
    refresh.set_client_secret_hash(HashOf(owner.client_secret()));
    for (std::string_view scope : kScopes) {
      refresh.add_scopes(std::string(scope));
    }
    ASSIGN_OR_RETURN(*owner.mutable_refresh_token(),
                     TokenStore::MintRefresh(txn, refresh));
    return txn.Put(key, owner.SerializeAsString());
  }));
  OwnerCredentials out;
  out.email = owner.email();
  out.subject = owner.subject();
  out.client_id = owner.client_id();
  out.client_secret = owner.client_secret();
  out.refresh_token = owner.refresh_token();
  out.scopes.assign(kScopes.begin(), kScopes.end());
  return out;
}

}  // namespace brume::services::oauth
