#pragma once

#include "base/clock.h"
#include "services/oauth/accounts.h"
#include "services/oauth/token_store.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

namespace brume::services::oauth {

// Whose token it is.
struct Holder {
  std::string email;
  std::string subject;  // unique id, 21 digits
  bool service_account = false;
  // E-mail of who asked for this account's token; empty when none did.
  std::string impersonator;
  std::vector<std::string> scopes;
  std::string client_id;
  absl::Time expires_at;
};

// Tells whose a bearer token is: an opaque one of TokenStore, or a JWT that a
// service account signed itself (google.aip.dev/auth/4111). Thread-safe.
class Authenticator {
 public:
  struct Options {
    const TokenStore* tokens = nullptr;
    Accounts accounts;
    const base::Clock* clock = nullptr;
  };
  explicit Authenticator(Options options) : options_(std::move(options)) {}

  // `host` is the served name that was asked; empty on loopback. A JWT without
  // scopes counts only at the service that its audience names. UNAUTHENTICATED
  // says why; its message has "expired" when that is all that is wrong.
  absl::StatusOr<Holder> Authenticate(std::string_view token,
                                      std::string_view host) const;

 private:
  absl::StatusOr<Holder> Opaque(std::string_view token) const;
  absl::StatusOr<Holder> SelfSigned(std::string_view token,
                                    std::string_view host) const;

  const Options options_;
};

// Whether audience "https://SERVICE/" is for a call to `host`: the same name, a
// regional one ("us-central1-aiplatform..." of "aiplatform...") or its mutual
// TLS form. An empty host is any.
bool AudienceCovers(std::string_view audience, std::string_view host);

}  // namespace brume::services::oauth
