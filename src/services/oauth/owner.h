#pragma once

#include "services/oauth/token_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>
#include <brume/oauth/token.pb.h>

#include <string>
#include <string_view>
#include <vector>

namespace brume::services::oauth {

// The owner of the local cloud: the user account as which `brume run` signs in.
inline constexpr std::string_view kOwnerEmail = "owner@brume.local";

// What an "authorized_user" credential file holds. Secret: it never leaves the
// data folder.
struct OwnerCredentials {
  std::string email;
  std::string subject;  // 21 digits
  std::string client_id;
  std::string client_secret;
  std::string refresh_token;
  std::vector<std::string> scopes;
};

// The owner's credentials, made when they are asked for first, and its refresh
// token anew after it was revoked.
absl::StatusOr<OwnerCredentials> EnsureOwner(store::KvStore& kv);

}  // namespace brume::services::oauth
