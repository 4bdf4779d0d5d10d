#pragma once

#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/cloud/billing/v1/cloud_billing.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

// Cloud Billing v1, its read side and the linking of projects. There is one
// billing account, open and free of charge.
namespace brume::services::billing {

struct Project {
  std::string id;
  std::string number;
};

// The one account: "billingAccounts/..." as Google writes their ids.
inline constexpr std::string_view kAccount =
    "billingAccounts/0B6E5A-10CA1B-B111E5";

// Thread-safe.
class BillingAccounts {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    // The project of an id or number, its row locked so that it is still there
    // when the transaction commits; the error for one that is not.
    std::function<absl::StatusOr<Project>(store::KvTransaction&,
                                          std::string_view id_or_number)>
        lock_project;
    std::function<absl::StatusOr<Project>(std::string_view id_or_number)>
        find_project;
  };
  explicit BillingAccounts(Options options) : options_(std::move(options)) {}

  absl::StatusOr<google::cloud::billing::v1::BillingAccount> Get(
      const google::cloud::billing::v1::GetBillingAccountRequest& request)
      const;
  absl::StatusOr<google::cloud::billing::v1::ListBillingAccountsResponse> List(
      const google::cloud::billing::v1::ListBillingAccountsRequest& request)
      const;
  absl::StatusOr<google::cloud::billing::v1::ListProjectBillingInfoResponse>
  ListProjects(const google::cloud::billing::v1::ListProjectBillingInfoRequest&
                   request) const;
  absl::StatusOr<google::cloud::billing::v1::ProjectBillingInfo> GetProject(
      const google::cloud::billing::v1::GetProjectBillingInfoRequest& request)
      const;
  // Links the project to an account; an empty name unlinks it.
  absl::StatusOr<google::cloud::billing::v1::ProjectBillingInfo> UpdateProject(
      const google::cloud::billing::v1::UpdateProjectBillingInfoRequest&
          request);

 private:
  const Options options_;
};

}  // namespace brume::services::billing
