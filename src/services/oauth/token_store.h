#pragma once

#include "base/clock.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <brume/oauth/token.pb.h>

#include <string>
#include <string_view>
#include <vector>

namespace brume::services::oauth {

// Opaque bearer tokens. A token is known by its SHA-256 alone, so the data
// folder gives none away; tokens survive a restart and end when they expire.
// Every method returns when its effect is durable. Thread-safe.
class TokenStore {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
  };
  explicit TokenStore(Options options) : options_(options) {}

  struct Access {
    std::string token;
    absl::Time expires_at;
  };
  // A new access token: "ya29.a0..." of a user, "ya29.c..." of a service
  // account. `record` says whose; its times are set here, to whole seconds.
  // UNAUTHENTICATED when the refresh token that it names was revoked.
  absl::StatusOr<Access> MintAccess(brume::oauth::TokenRecord record,
                                    absl::Duration lifetime);
  // UNAUTHENTICATED for a token nobody has, or one that has expired ("token
  // expired").
  absl::StatusOr<brume::oauth::TokenRecord> FindAccess(
      std::string_view token) const;

  // A new refresh token ("1//..."), which does not expire.
  static absl::StatusOr<std::string> MintRefresh(
      store::KvTransaction& txn, const brume::oauth::RefreshRecord& record);
  // UNAUTHENTICATED when it is not known or was revoked.
  absl::StatusOr<brume::oauth::RefreshRecord> FindRefresh(
      std::string_view token) const;

  // Ends an access or refresh token; of a refresh token also the access tokens
  // that came from it. UNAUTHENTICATED when it is neither.
  absl::Status Revoke(std::string_view token);

 private:
  const Options options_;
};

// SHA-256, 32 bytes: how secrets are kept.
std::string HashOf(std::string_view secret);

}  // namespace brume::services::oauth
