#include "services/billing/billing_accounts.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "store/kv/key.h"

#include <absl/strings/match.h>

namespace brume::services::billing {
namespace {

namespace v1 = google::cloud::billing::v1;

constexpr std::string_view kLinks = "billing-link";

std::string RowKey(std::string_view project_number) {
  return store::Key(kLinks).Add(project_number).str();
}

v1::BillingAccount TheAccount() {
  v1::BillingAccount account;
  account.set_name(std::string(kAccount));
  account.set_open(true);
  account.set_display_name("Brume");
  account.set_currency_code("USD");
  return account;
}

absl::StatusOr<std::string> ProjectOf(std::string_view name) {
  constexpr std::string_view kProjects = "projects/";
  if (name.substr(0, kProjects.size()) != kProjects ||
      name.size() == kProjects.size()) {
    return InvalidField("name", base::StrCat("Invalid project name '", name,
                                             "'; expected "
                                             "'projects/{project}'."));
  }
  name.remove_prefix(kProjects.size());
  return std::string(name.substr(0, name.find('/')));
}

v1::ProjectBillingInfo Show(const Project& project, std::string_view account) {
  v1::ProjectBillingInfo info;
  info.set_name(base::StrCat("projects/", project.id, "/billingInfo"));
  info.set_project_id(project.id);
  info.set_billing_account_name(std::string(account));
  info.set_billing_enabled(!account.empty());
  return info;
}

// What Google says of accounts that one may not see.
absl::Status Denied() {
  return absl::PermissionDeniedError("The caller does not have permission");
}

}  // namespace

absl::StatusOr<v1::BillingAccount> BillingAccounts::Get(
    const v1::GetBillingAccountRequest& request) const {
  if (request.name() != kAccount) return Denied();
  return TheAccount();
}

absl::StatusOr<v1::ListBillingAccountsResponse> BillingAccounts::List(
    const v1::ListBillingAccountsRequest& request) const {
  v1::ListBillingAccountsResponse response;
  // Sub-accounts and those of organizations: there are none.
  if (!request.parent().empty()) return response;
  if (!request.filter().empty() && request.filter() != "open=true") {
    return response;
  }
  *response.add_billing_accounts() = TheAccount();
  return response;
}

absl::StatusOr<v1::ListProjectBillingInfoResponse>
BillingAccounts::ListProjects(
    const v1::ListProjectBillingInfoRequest& request) const {
  if (request.name() != kAccount) return Denied();
  v1::ListProjectBillingInfoResponse response;
  std::vector<std::string> numbers;
  const size_t wanted =
      request.page_size() > 0 ? static_cast<size_t>(request.page_size()) : 100;
  store::KeyRange range = store::KeyRange::Prefix(store::Key(kLinks).str());
  if (!request.page_token().empty()) {
    range.begin = RowKey(request.page_token()) + '\0';
  }
  bool more = false;
  RETURN_IF_ERROR(options_.kv->Snapshot()->Scan(
      range, [&](std::string_view key, std::string_view) {
        store::KeyParser parser(key);
        parser.Next();
        if (numbers.size() == wanted) {
          more = true;
          return false;
        }
        if (auto number = parser.Next()) numbers.push_back(*std::move(number));
        return true;
      }));
  for (const std::string& number : numbers) {
    const absl::StatusOr<Project> project = options_.find_project(number);
    // A deleted project keeps its link, which nobody sees.
    if (!project.ok()) continue;
    *response.add_project_billing_info() = Show(*project, kAccount);
  }
  if (more) response.set_next_page_token(numbers.back());
  return response;
}

absl::StatusOr<v1::ProjectBillingInfo> BillingAccounts::GetProject(
    const v1::GetProjectBillingInfoRequest& request) const {
  ASSIGN_OR_RETURN(const std::string id, ProjectOf(request.name()));
  ASSIGN_OR_RETURN(const Project project, options_.find_project(id));
  ASSIGN_OR_RETURN(const auto link, options_.kv->Get(RowKey(project.number)));
  return Show(project, link.value_or(""));
}

absl::StatusOr<v1::ProjectBillingInfo> BillingAccounts::UpdateProject(
    const v1::UpdateProjectBillingInfoRequest& request) {
  ASSIGN_OR_RETURN(const std::string id, ProjectOf(request.name()));
  const std::string& account =
      request.project_billing_info().billing_account_name();
  if (!account.empty() && account != kAccount) {
    if (!absl::StartsWith(account, "billingAccounts/")) {
      return InvalidField("project_billing_info.billing_account_name",
                          "Request contains an invalid argument.");
    }
    return Denied();
  }
  Project project;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(project, options_.lock_project(txn, id));
        return account.empty() ? txn.Delete(RowKey(project.number))
                               : txn.Put(RowKey(project.number), account);
      }));
  return Show(project, account);
}

}  // namespace brume::services::billing
