#include "app/identity_stack.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/policy/policy.h"

#include <utility>

namespace brume::app {
namespace {

namespace iam = services::iam;
namespace oauth = services::oauth;
namespace rm = services::resourcemanager;
namespace usage = services::serviceusage;
using google::cloud::resourcemanager::v3::Project;

std::string NumberOf(const Project& project) {
  return project.name().substr(project.name().find('/') + 1);
}

// What Google's services say of a project that one may not see, or that is not
// there.
absl::Status Denied(std::string_view project) {
  return services::WithReason(
      absl::PermissionDeniedError(base::ToAbsl(base::StrCat(
          "Permission denied on resource project ", project, "."))),
      "CONSUMER_INVALID", "googleapis.com",
      {{"consumer", base::StrCat("projects/", project)}});
}

// The services each have a Project of their own, all alike.
template <typename P>
auto Locker(const rm::ProjectStore& store) {
  return [&store](store::KvTransaction& txn,
                  std::string_view id_or_number) -> absl::StatusOr<P> {
    absl::StatusOr<Project> found = store.LockActive(txn, id_or_number);
    if (absl::IsNotFound(found.status())) return Denied(id_or_number);
    RETURN_IF_ERROR(found.status());
    return P{found->project_id(), NumberOf(*found)};
  };
}

template <typename P>
auto Finder(const IdentityStack& stack) {
  return [&stack](std::string_view id_or_number) -> absl::StatusOr<P> {
    absl::StatusOr<api::ProjectRef> found = stack.FindProject(id_or_number);
    if (absl::IsNotFound(found.status())) return Denied(id_or_number);
    RETURN_IF_ERROR(found.status());
    return P{found->id, found->number};
  };
}

// The accounts an API makes when it is enabled (cloud.google.com/iam/docs
// /service-agents, /service-account-types), with the roles they are given.
struct Agent {
  std::string_view service;
  std::string_view prefix;  // before the project's number
  std::string_view suffix;  // behind it
  std::string_view title;
  std::string_view role;
  // Not one of the project's own accounts: not listed, nobody's to change.
  bool google_managed = true;
};
constexpr Agent kAgents[] = {
    {"aiplatform.googleapis.com", "service-",
     "@gcp-sa-aiplatform.iam.gserviceaccount.com", "AI Platform Service Agent",
     "roles/aiplatform.serviceAgent"},
    {"aiplatform.googleapis.com", "service-",
     "@gcp-sa-aiplatform-cc.iam.gserviceaccount.com",
     "AI Platform Custom Code Service Agent",
     "roles/aiplatform.customCodeServiceAgent"},
    {"compute.googleapis.com", "", "-compute@developer.gserviceaccount.com",
     "Compute Engine default service account", "roles/editor",
     /*google_managed=*/false},
};

}  // namespace

IdentityStack::IdentityStack(store::KvStore& kv, const base::Clock& clock,
                             const services::query::PageTokens& pages)
    : kv_(kv),
      clock_(clock),
      project_store({
          .kv = &kv,
          .clock = &clock,
          .on_create =
              [this](store::KvTransaction& txn,
                     const rm::ProjectStore::Created& created) {
                return services.EnableDefaults(txn,
                                               {created.id, created.number});
              },
      }),
      accounts({.kv = &kv,
                .clock = &clock,
                .lock_project = Locker<iam::Project>(project_store)}),
      keys({.kv = &kv, .clock = &clock, .accounts = &accounts}),
      services(
          {.kv = &kv,
           .clock = &clock,
           .page_tokens = &pages,
           .lock_project = Locker<usage::Project>(project_store),
           .find_project = Finder<usage::Project>(*this),
           .on_enabled =
               [this](store::KvTransaction& txn, const usage::Project& project,
                      std::string_view service) {
                 return MakeServiceAgents(txn, {project.id, project.number},
                                          service);
               }}),
      tokens({.kv = &kv, .clock = &clock}),
      identity_tokens({.kv = &kv, .clock = &clock}),
      authenticator(
          {.tokens = &tokens, .accounts = AccountsForOauth(), .clock = &clock}),
      token_endpoint({.tokens = &tokens,
                      .identity = &identity_tokens,
                      .accounts = AccountsForOauth(),
                      .clock = &clock}),
      iam({.kv = &kv,
           .clock = &clock,
           .accounts = &accounts,
           .keys = &keys,
           .pages = &pages,
           .find_project = Finder<iam::Project>(*this)}),
      credentials({
          .clock = &clock,
          .accounts = &accounts,
          .keys = &keys,
          .mint_access_token =
              [this](const google::iam::admin::v1::ServiceAccount& account,
                     const std::vector<std::string>& scopes,
                     absl::Duration lifetime, std::string_view impersonator)
              -> absl::StatusOr<iam::CredentialsService::AccessToken> {
            brume::oauth::TokenRecord record;
            record.set_email(account.email());
            record.set_subject(account.unique_id());
            record.set_service_account(true);
            record.mutable_scopes()->Add(scopes.begin(), scopes.end());
            record.set_impersonator(std::string(impersonator));
            record.set_client_id(account.unique_id());
            ASSIGN_OR_RETURN(const oauth::TokenStore::Access made,
                             tokens.MintAccess(std::move(record), lifetime));
            return iam::CredentialsService::AccessToken{made.token,
                                                        made.expires_at};
          },
          .sign_identity_token =
              [this](const google::iam::admin::v1::ServiceAccount& account,
                     std::string_view audience, bool include_email) {
                return identity_tokens.Sign(
                    {.audience = std::string(audience),
                     .authorized_party = account.unique_id(),
                     .subject = account.unique_id(),
                     .email = include_email ? account.email() : ""});
              },
      }),
      projects({.kv = &kv,
                .clock = &clock,
                .projects = &project_store,
                .pages = &pages,
                .policy_rules = {.account_exists =
                                     [this](store::KvReader& reader,
                                            std::string_view email) {
                                       return accounts.Exists(reader, email);
                                     }}}),
      projects_v1({.kv = &kv,
                   .clock = &clock,
                   .projects = &project_store,
                   .pages = &pages}),
      billing(
          {.kv = &kv,
           .lock_project = Locker<services::billing::Project>(project_store),
           .find_project = Finder<services::billing::Project>(*this)}),
      places(Finder<services::compute::Project>(*this)) {}

absl::StatusOr<std::unique_ptr<IdentityStack>> IdentityStack::Create(
    store::KvStore& kv, const base::Clock& clock,
    const services::query::PageTokens& pages) {
  std::unique_ptr<IdentityStack> stack(new IdentityStack(kv, clock, pages));
  RETURN_IF_ERROR(stack->project_store
                      .EnsureProject(kDefaultProject,
                                     base::StrCat("user:", oauth::kOwnerEmail))
                      .status());
  return stack;
}

oauth::Accounts IdentityStack::AccountsForOauth() {
  oauth::Accounts out;
  out.find =
      [this](std::string_view who) -> absl::StatusOr<oauth::ServiceAccount> {
    ASSIGN_OR_RETURN(const brume::iam::AccountRecord record,
                     accounts.Get({"-", std::string(who)}));
    const google::iam::admin::v1::ServiceAccount& account = record.account();
    return oauth::ServiceAccount{account.email(), account.unique_id(),
                                 account.project_id(), account.disabled()};
  };
  out.keys = [this](std::string_view email, std::string_view key_id)
      -> absl::StatusOr<std::vector<services::signing::RsaPublicKey>> {
    ASSIGN_OR_RETURN(const std::vector<brume::iam::KeyRecord> valid,
                     keys.Valid(email, key_id));
    std::vector<services::signing::RsaPublicKey> out_keys;
    for (const brume::iam::KeyRecord& key : valid) {
      ASSIGN_OR_RETURN(
          services::signing::RsaPublicKey parsed,
          services::signing::RsaPublicKey::FromPem(key.certificate_pem()));
      out_keys.push_back(std::move(parsed));
    }
    return out_keys;
  };
  return out;
}

absl::Status IdentityStack::MakeServiceAgents(store::KvTransaction& txn,
                                              const iam::Project& project,
                                              std::string_view service) {
  for (const Agent& agent : kAgents) {
    if (agent.service != service) continue;
    const std::string email =
        base::StrCat(agent.prefix, project.number, agent.suffix);
    RETURN_IF_ERROR(accounts.CreateManaged(txn, project, email, agent.title,
                                           agent.google_managed));
    RETURN_IF_ERROR(services::policy::Grant(
        txn, base::StrCat("projects/", project.number), agent.role,
        base::StrCat("serviceAccount:", email), clock_.Now()));
  }
  return absl::OkStatus();
}

absl::Status IdentityStack::EnsureServiceAgents(const api::ProjectRef& project,
                                                std::string_view service) {
  return kv_.Transact([&](store::KvTransaction& txn) -> absl::Status {
    RETURN_IF_ERROR(project_store.LockActive(txn, project.number).status());
    return MakeServiceAgents(txn, {project.id, project.number}, service);
  });
}

absl::StatusOr<api::Principal> IdentityStack::Authenticate(
    std::string_view token, std::string_view host) const {
  ASSIGN_OR_RETURN(const oauth::Holder holder,
                   authenticator.Authenticate(token, host));
  return api::Principal{holder.service_account
                            ? api::Principal::Kind::kServiceAccount
                            : api::Principal::Kind::kUser,
                        holder.email, holder.impersonator};
}

absl::StatusOr<api::ProjectRef> IdentityStack::FindProject(
    std::string_view id_or_number) const {
  ASSIGN_OR_RETURN(const Project project, project_store.Get(id_or_number));
  if (project.state() != Project::ACTIVE) {
    return absl::NotFoundError(base::ToAbsl(
        base::StrCat("project '", id_or_number, "' is to be deleted")));
  }
  return api::ProjectRef{project.project_id(), NumberOf(project)};
}

absl::StatusOr<bool> IdentityStack::ApiEnabled(const api::ProjectRef& project,
                                               std::string_view service) const {
  return services.IsEnabled(project.number, service);
}

absl::StatusOr<std::vector<api::oauth::Certificate>>
IdentityStack::CertificatesOf(std::string_view email) {
  // NOT_FOUND where there is no such account.
  RETURN_IF_ERROR(accounts.Get({"-", std::string(email)}).status());
  ASSIGN_OR_RETURN(const std::vector<brume::iam::KeyRecord> valid,
                   keys.Valid(email, ""));
  std::vector<api::oauth::Certificate> out;
  for (const brume::iam::KeyRecord& key : valid) {
    out.push_back({key.id(), key.certificate_pem()});
  }
  return out;
}

absl::StatusOr<std::string> IdentityStack::ProjectOfAccount(
    std::string_view email) {
  ASSIGN_OR_RETURN(const brume::iam::AccountRecord record,
                   accounts.Get({"-", std::string(email)}));
  ASSIGN_OR_RETURN(const api::ProjectRef project,
                   FindProject(record.project_number()));
  return project.id;
}

absl::StatusOr<oauth::TokenStore::Access> IdentityStack::MintFor(
    std::string_view email, const std::vector<std::string>& scopes) {
  ASSIGN_OR_RETURN(const brume::iam::AccountRecord found,
                   accounts.Get({"-", std::string(email)}));
  if (found.account().disabled()) {
    return absl::NotFoundError("the service account is disabled");
  }
  brume::oauth::TokenRecord record;
  record.set_email(found.account().email());
  record.set_subject(found.account().unique_id());
  record.set_service_account(true);
  record.mutable_scopes()->Add(scopes.begin(), scopes.end());
  record.set_client_id(found.account().unique_id());
  return tokens.MintAccess(std::move(record), absl::Hours(1));
}

absl::StatusOr<std::string> IdentityStack::IdentityOf(std::string_view email,
                                                      std::string_view audience,
                                                      bool include_email) {
  ASSIGN_OR_RETURN(const brume::iam::AccountRecord found,
                   accounts.Get({"-", std::string(email)}));
  const google::iam::admin::v1::ServiceAccount& account = found.account();
  return identity_tokens.Sign({.audience = std::string(audience),
                               .authorized_party = account.unique_id(),
                               .subject = account.unique_id(),
                               .email = include_email ? account.email() : ""});
}

absl::StatusOr<bool> IdentityStack::AccountExists(std::string_view email) {
  absl::StatusOr<brume::iam::AccountRecord> record =
      accounts.Get({"-", std::string(email)});
  if (absl::IsNotFound(record.status())) return false;
  RETURN_IF_ERROR(record.status());
  return !record->account().disabled();
}

}  // namespace brume::app
