#pragma once

#include "api/admission.h"
#include "api/oauth/oauth_surface.h"
#include "base/clock.h"
#include "services/billing/billing_accounts.h"
#include "services/compute/places.h"
#include "services/iam/account_store.h"
#include "services/iam/credentials_service.h"
#include "services/iam/iam_service.h"
#include "services/iam/key_store.h"
#include "services/oauth/authenticator.h"
#include "services/oauth/identity_tokens.h"
#include "services/oauth/owner.h"
#include "services/oauth/token_endpoint.h"
#include "services/oauth/token_store.h"
#include "services/query/page_token.h"
#include "services/resourcemanager/project_store.h"
#include "services/resourcemanager/projects.h"
#include "services/resourcemanager/projects_v1.h"
#include "services/serviceusage/service_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brume::app {

// Who there is and in which projects: the services whose answers admission
// needs, made in the order in which they need each other. They know nothing of
// each other but the functions given here. Thread-safe once made.
class IdentityStack {
 public:
  // Makes the owner's default project when it is not there.
  static absl::StatusOr<std::unique_ptr<IdentityStack>> Create(
      store::KvStore& kv, const base::Clock& clock,
      const services::query::PageTokens& pages);

  // What admission asks.
  absl::StatusOr<api::Principal> Authenticate(std::string_view token,
                                              std::string_view host) const;
  // An active project; NOT_FOUND.
  absl::StatusOr<api::ProjectRef> FindProject(
      std::string_view id_or_number) const;
  absl::StatusOr<bool> ApiEnabled(const api::ProjectRef& project,
                                  std::string_view service) const;
  // Whether an enabled account of that e-mail exists here.
  absl::StatusOr<bool> AccountExists(std::string_view email);
  // For the surfaces of OAuth and of the metadata server.
  absl::StatusOr<std::vector<api::oauth::Certificate>> CertificatesOf(
      std::string_view email);
  absl::StatusOr<std::string> ProjectOfAccount(std::string_view email);
  absl::StatusOr<services::oauth::TokenStore::Access> MintFor(
      std::string_view email, const std::vector<std::string>& scopes);
  absl::StatusOr<std::string> IdentityOf(std::string_view email,
                                         std::string_view audience,
                                         bool include_email);

  // Makes the agents of an API that is used without having been enabled.
  absl::Status EnsureServiceAgents(const api::ProjectRef& project,
                                   std::string_view service);

 private:
  IdentityStack(store::KvStore& kv, const base::Clock& clock,
                const services::query::PageTokens& pages);

  services::oauth::Accounts AccountsForOauth();
  absl::Status MakeServiceAgents(store::KvTransaction& txn,
                                 const services::iam::Project& project,
                                 std::string_view service);

  store::KvStore& kv_;
  const base::Clock& clock_;

 public:
  services::resourcemanager::ProjectStore project_store;
  services::iam::AccountStore accounts;
  services::iam::KeyStore keys;
  services::serviceusage::ServiceStore services;
  services::oauth::TokenStore tokens;
  services::oauth::IdentityTokens identity_tokens;
  services::oauth::Authenticator authenticator;
  services::oauth::TokenEndpoint token_endpoint;
  services::iam::IamService iam;
  services::iam::CredentialsService credentials;
  services::resourcemanager::Projects projects;
  services::resourcemanager::ProjectsV1 projects_v1;
  services::billing::BillingAccounts billing;
  services::compute::Places places;
};

// The project there is from the first start on.
inline constexpr std::string_view kDefaultProject = "brume-local";

}  // namespace brume::app
