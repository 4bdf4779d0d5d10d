#pragma once

#include "base/clock.h"
#include "services/oauth/accounts.h"
#include "services/oauth/identity_tokens.h"
#include "services/oauth/token_store.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace brume::services::oauth {

// The token endpoint: jwt-bearer (RFC 7523) for service accounts, with scopes
// or a target audience, and refresh_token (RFC 6749, 6) for the owner.
// Thread-safe.
class TokenEndpoint {
 public:
  struct Options {
    TokenStore* tokens = nullptr;
    IdentityTokens* identity = nullptr;
    Accounts accounts;
    const base::Clock* clock = nullptr;
  };
  explicit TokenEndpoint(Options options) : options_(std::move(options)) {}

  // The form's fields. A repeated one counts once.
  using Form = std::map<std::string, std::string, std::less<>>;

  // What is empty is not said in the reply.
  struct Reply {
    std::string access_token;
    int64_t expires_in = 0;
    std::string scope;
    std::string token_type;
    std::string id_token;
  };
  // Errors as in oauth_errors.h.
  absl::StatusOr<Reply> Exchange(const Form& form);

 private:
  absl::StatusOr<Reply> JwtBearer(const Form& form);
  absl::StatusOr<Reply> Refresh(const Form& form);

  const Options options_;
};

}  // namespace brume::services::oauth
