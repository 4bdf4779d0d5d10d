#pragma once

#include "services/iam/account_store.h"
#include "services/iam/key_store.h"
#include "services/query/page_token.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>
#include <google/iam/admin/v1/iam.pb.h>
#include <google/iam/v1/iam_policy.pb.h>
#include <google/iam/v1/policy.pb.h>
#include <google/protobuf/empty.pb.h>

#include <functional>
#include <string_view>

namespace brume::services::iam {

// The IAM API's service accounts (google.iam.admin.v1.IAM). Thread-safe.
class IamService {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    AccountStore* accounts = nullptr;
    KeyStore* keys = nullptr;
    const query::PageTokens* pages = nullptr;
    // The project of an id or number; the error for one that is not there.
    std::function<absl::StatusOr<Project>(std::string_view id_or_number)>
        find_project;
  };
  explicit IamService(Options options) : options_(std::move(options)) {}

  absl::StatusOr<google::iam::admin::v1::ServiceAccount> CreateServiceAccount(
      const google::iam::admin::v1::CreateServiceAccountRequest& request);
  absl::StatusOr<google::iam::admin::v1::ServiceAccount> GetServiceAccount(
      const google::iam::admin::v1::GetServiceAccountRequest& request);
  absl::StatusOr<google::iam::admin::v1::ListServiceAccountsResponse>
  ListServiceAccounts(
      const google::iam::admin::v1::ListServiceAccountsRequest& request);
  absl::StatusOr<google::iam::admin::v1::ServiceAccount> UpdateServiceAccount(
      const google::iam::admin::v1::ServiceAccount& request);
  absl::StatusOr<google::iam::admin::v1::ServiceAccount> PatchServiceAccount(
      const google::iam::admin::v1::PatchServiceAccountRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteServiceAccount(
      const google::iam::admin::v1::DeleteServiceAccountRequest& request);
  absl::StatusOr<google::iam::admin::v1::UndeleteServiceAccountResponse>
  UndeleteServiceAccount(
      const google::iam::admin::v1::UndeleteServiceAccountRequest& request);
  absl::StatusOr<google::protobuf::Empty> EnableServiceAccount(
      const google::iam::admin::v1::EnableServiceAccountRequest& request);
  absl::StatusOr<google::protobuf::Empty> DisableServiceAccount(
      const google::iam::admin::v1::DisableServiceAccountRequest& request);

  absl::StatusOr<google::iam::admin::v1::ServiceAccountKey>
  CreateServiceAccountKey(
      const google::iam::admin::v1::CreateServiceAccountKeyRequest& request);
  absl::StatusOr<google::iam::admin::v1::ServiceAccountKey>
  GetServiceAccountKey(
      const google::iam::admin::v1::GetServiceAccountKeyRequest& request);
  absl::StatusOr<google::iam::admin::v1::ListServiceAccountKeysResponse>
  ListServiceAccountKeys(
      const google::iam::admin::v1::ListServiceAccountKeysRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteServiceAccountKey(
      const google::iam::admin::v1::DeleteServiceAccountKeyRequest& request);
  absl::StatusOr<google::protobuf::Empty> EnableServiceAccountKey(
      const google::iam::admin::v1::EnableServiceAccountKeyRequest& request);
  absl::StatusOr<google::protobuf::Empty> DisableServiceAccountKey(
      const google::iam::admin::v1::DisableServiceAccountKeyRequest& request);

  absl::StatusOr<google::iam::v1::Policy> GetIamPolicy(
      const google::iam::v1::GetIamPolicyRequest& request);
  absl::StatusOr<google::iam::v1::Policy> SetIamPolicy(
      const google::iam::v1::SetIamPolicyRequest& request);
  absl::StatusOr<google::iam::v1::TestIamPermissionsResponse>
  TestIamPermissions(const google::iam::v1::TestIamPermissionsRequest& request);

 private:
  // Google-managed accounts are nobody's to see or change.
  absl::StatusOr<AccountName> OwnName(std::string_view name) const;

  const Options options_;
};

}  // namespace brume::services::iam
