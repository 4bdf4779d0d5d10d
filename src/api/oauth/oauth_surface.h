#pragma once

#include "api/http_surface.h"
#include "api/wire.h"
#include "base/clock.h"
#include "services/oauth/authenticator.h"
#include "services/oauth/identity_tokens.h"
#include "services/oauth/token_endpoint.h"
#include "services/oauth/token_store.h"

#include <absl/status/statusor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::api::oauth {

// A published key of a service account.
struct Certificate {
  std::string key_id;
  std::string pem;  // X.509
};

// What the surface stands on. All must outlive it.
struct Services {
  services::oauth::TokenEndpoint* endpoint = nullptr;
  services::oauth::TokenStore* tokens = nullptr;
  services::oauth::IdentityTokens* identity = nullptr;
  const services::oauth::Authenticator* authenticator = nullptr;
  // The keys of a service account, by e-mail; NOT_FOUND.
  std::function<absl::StatusOr<std::vector<Certificate>>(
      std::string_view email)>
      certificates;
  const base::Clock* clock = nullptr;
};

// Google's OAuth hosts: oauth2.googleapis.com, accounts.google.com,
// openidconnect.googleapis.com, and on www.googleapis.com the older paths of
// the same. Nothing here needs a token; what is given is proven by the secret
// in the request. Thread-safe.
class OAuthSurface final : public HttpSurface {
 public:
  explicit OAuthSurface(Services services) : services_(std::move(services)) {}

  bool Owns(const RequestHead& head) const override;
  Begun Begin(RequestHead head) override;

 private:
  const Services services_;
};

}  // namespace brume::api::oauth
