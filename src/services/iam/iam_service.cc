#include "services/iam/iam_service.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/iam/iam_errors.h"
#include "services/policy/policy.h"
#include "services/query/field_mask.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace brume::services::iam {
namespace {

namespace admin = google::iam::admin::v1;
using brume::iam::AccountRecord;
using google::protobuf::Empty;

constexpr int kDefaultPage = 20;
constexpr int kMaxPage = 100;

std::string PolicyOf(const AccountRecord& account) {
  return base::StrCat("serviceAccounts/", account.account().unique_id());
}

}  // namespace

absl::StatusOr<AccountName> IamService::OwnName(std::string_view name) const {
  ASSIGN_OR_RETURN(AccountName parsed, ParseAccountName(name));
  ASSIGN_OR_RETURN(const AccountRecord account, options_.accounts->Get(parsed));
  if (account.google_managed()) return UnknownAccount();
  return parsed;
}

absl::StatusOr<admin::ServiceAccount> IamService::CreateServiceAccount(
    const admin::CreateServiceAccountRequest& request) {
  ASSIGN_OR_RETURN(const std::string project, ParseProjectName(request.name()));
  ASSIGN_OR_RETURN(const AccountRecord made,
                   options_.accounts->Create(project, request.account_id(),
                                             request.service_account()));
  return made.account();
}

absl::StatusOr<admin::ServiceAccount> IamService::GetServiceAccount(
    const admin::GetServiceAccountRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.name()));
  ASSIGN_OR_RETURN(const AccountRecord found, options_.accounts->Get(name));
  return found.account();
}

absl::StatusOr<admin::ListServiceAccountsResponse>
IamService::ListServiceAccounts(
    const admin::ListServiceAccountsRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, ParseProjectName(request.name()));
  ASSIGN_OR_RETURN(const Project project, options_.find_project(name));
  if (request.page_size() < 0) {
    return InvalidField("page_size", "The page size must not be negative.");
  }
  const int size = request.page_size() == 0
                       ? kDefaultPage
                       : std::min(request.page_size(), kMaxPage);
  std::string after;
  if (!request.page_token().empty()) {
    ASSIGN_OR_RETURN(after,
                     options_.pages->Read(request, request.page_token()));
  }
  ASSIGN_OR_RETURN(auto accounts,
                   options_.accounts->List(project.number, after,
                                           static_cast<size_t>(size) + 1));
  admin::ListServiceAccountsResponse response;
  for (AccountRecord& record : accounts) {
    if (response.accounts_size() == size) {
      response.set_next_page_token(
          options_.pages->Make(request, response.accounts(size - 1).email()));
      break;
    }
    *response.add_accounts() = std::move(*record.mutable_account());
  }
  return response;
}

absl::StatusOr<admin::ServiceAccount> IamService::UpdateServiceAccount(
    const admin::ServiceAccount& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.name()));
  RETURN_IF_ERROR(CheckDisplayName(request.display_name()));
  ASSIGN_OR_RETURN(const AccountRecord changed,
                   options_.accounts->Update(
                       name, [&request](admin::ServiceAccount& account) {
                         account.set_display_name(request.display_name());
                         return absl::OkStatus();
                       }));
  return changed.account();
}

absl::StatusOr<admin::ServiceAccount> IamService::PatchServiceAccount(
    const admin::PatchServiceAccountRequest& request) {
  const admin::ServiceAccount& what = request.service_account();
  ASSIGN_OR_RETURN(const AccountName name, OwnName(what.name()));
  RETURN_IF_ERROR(CheckDisplayName(what.display_name()));
  RETURN_IF_ERROR(CheckDescription(what.description()));
  ASSIGN_OR_RETURN(
      const AccountRecord changed,
      options_.accounts->Update(name, [&](admin::ServiceAccount& account) {
        return query::ApplyMask(request.update_mask(),
                                {"display_name", "description"}, what,
                                &account);
      }));
  return changed.account();
}

absl::StatusOr<Empty> IamService::DeleteServiceAccount(
    const admin::DeleteServiceAccountRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.name()));
  RETURN_IF_ERROR(options_.accounts->Delete(name));
  return Empty();
}

absl::StatusOr<admin::UndeleteServiceAccountResponse>
IamService::UndeleteServiceAccount(
    const admin::UndeleteServiceAccountRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, ParseAccountName(request.name()));
  ASSIGN_OR_RETURN(const AccountRecord restored,
                   options_.accounts->Undelete(name));
  admin::UndeleteServiceAccountResponse response;
  *response.mutable_restored_account() = restored.account();
  return response;
}

absl::StatusOr<Empty> IamService::EnableServiceAccount(
    const admin::EnableServiceAccountRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.name()));
  RETURN_IF_ERROR(options_.accounts
                      ->Update(name,
                               [](admin::ServiceAccount& account) {
                                 account.set_disabled(false);
                                 return absl::OkStatus();
                               })
                      .status());
  return Empty();
}

absl::StatusOr<Empty> IamService::DisableServiceAccount(
    const admin::DisableServiceAccountRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.name()));
  RETURN_IF_ERROR(options_.accounts
                      ->Update(name,
                               [](admin::ServiceAccount& account) {
                                 account.set_disabled(true);
                                 return absl::OkStatus();
                               })
                      .status());
  return Empty();
}

absl::StatusOr<google::iam::v1::Policy> IamService::GetIamPolicy(
    const google::iam::v1::GetIamPolicyRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.resource()));
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  ASSIGN_OR_RETURN(const AccountRecord account,
                   options_.accounts->Find(*reader, name));
  return policy::Read(*reader, PolicyOf(account),
                      request.options().requested_policy_version());
}

absl::StatusOr<google::iam::v1::Policy> IamService::SetIamPolicy(
    const google::iam::v1::SetIamPolicyRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.resource()));
  policy::Rules rules;
  rules.account_exists = [this](store::KvReader& reader,
                                std::string_view email) {
    return options_.accounts->Exists(reader, email);
  };
  google::iam::v1::Policy out;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const AccountRecord account,
                         options_.accounts->Lock(txn, name));
        ASSIGN_OR_RETURN(out, policy::Write(txn, PolicyOf(account), request,
                                            rules, options_.clock->Now()));
        return absl::OkStatus();
      }));
  return out;
}

absl::StatusOr<google::iam::v1::TestIamPermissionsResponse>
IamService::TestIamPermissions(
    const google::iam::v1::TestIamPermissionsRequest& request) {
  RETURN_IF_ERROR(OwnName(request.resource()).status());
  return policy::Test(request);
}

}  // namespace brume::services::iam
