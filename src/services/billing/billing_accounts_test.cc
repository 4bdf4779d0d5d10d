#include "services/billing/billing_accounts.h"

#include "store/kv/memory_kv_store.h"

#include <gtest/gtest.h>

namespace brume::services::billing {
namespace {

namespace v1 = google::cloud::billing::v1;

absl::StatusOr<Project> Find(std::string_view name) {
  if (name == "p" || name == "12") return Project{"p", "12"};
  return absl::PermissionDeniedError("no such project");
}

TEST(BillingAccountsTest, ProjectsAreLinkedAndUnlinked) {
  store::MemoryKvStore kv;
  BillingAccounts billing(
      {&kv, [](store::KvTransaction&, std::string_view n) { return Find(n); },
       Find});
  v1::GetProjectBillingInfoRequest get;
  get.set_name("projects/p");
  EXPECT_FALSE(billing.GetProject(get)->billing_enabled());
  v1::UpdateProjectBillingInfoRequest link;
  link.set_name("projects/12");
  link.mutable_project_billing_info()->set_billing_account_name(
      std::string(kAccount));
  EXPECT_EQ(billing.UpdateProject(link)->project_id(), "p");
  EXPECT_TRUE(billing.GetProject(get)->billing_enabled());
  v1::ListProjectBillingInfoRequest list;
  list.set_name(std::string(kAccount));
  EXPECT_EQ(billing.ListProjects(list)->project_billing_info_size(), 1);
  link.mutable_project_billing_info()->clear_billing_account_name();
  EXPECT_FALSE(billing.UpdateProject(link)->billing_enabled());
  EXPECT_EQ(billing.ListProjects(list)->project_billing_info_size(), 0);
  link.mutable_project_billing_info()->set_billing_account_name(
      "billingAccounts/000000-000000-000000");
  EXPECT_EQ(billing.UpdateProject(link).status().code(),
            absl::StatusCode::kPermissionDenied);
  link.set_name("projects/q");
  EXPECT_FALSE(billing.UpdateProject(link).ok());
}

TEST(BillingAccountsTest, ThereIsOneAccount) {
  store::MemoryKvStore kv;
  BillingAccounts billing({&kv, nullptr, Find});
  const auto list = billing.List({});
  ASSERT_EQ(list->billing_accounts_size(), 1);
  v1::GetBillingAccountRequest get;
  get.set_name(list->billing_accounts(0).name());
  EXPECT_TRUE(billing.Get(get)->open());
  get.set_name("billingAccounts/x");
  EXPECT_FALSE(billing.Get(get).ok());
}

}  // namespace
}  // namespace brume::services::billing
