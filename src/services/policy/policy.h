#pragma once

#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/iam/v1/iam_policy.pb.h>
#include <google/iam/v1/policy.pb.h>

#include <functional>
#include <string_view>

// Allow policies (google.iam.v1.Policy) of any resource, as rows of the
// transaction in which they are read or written. `resource` is the caller's
// unchanging name of the resource, such as "projects/123456789012".
namespace brume::services::policy {

// What a resource lets a policy say.
struct Rules {
  // allUsers and allAuthenticatedUsers may be members.
  bool public_members = false;
  // Whether a service account exists; null accepts any.
  std::function<absl::StatusOr<bool>(store::KvReader&, std::string_view email)>
      account_exists;
};

// An empty policy with etag "ACAB" when none was ever set. With
// `requested_version` below 3, conditional bindings are shown as the
// documentation says: without condition, their role marked "_withcond_".
absl::StatusOr<google::iam::v1::Policy> Read(store::KvReader& reader,
                                             std::string_view resource,
                                             int requested_version);

// Replaces the policy and gives what is now stored: bindings merged and sorted,
// a new etag. ABORTED when the request's etag is not the stored one;
// INVALID_ARGUMENT for what `rules` or the syntax of roles and members refuse.
absl::StatusOr<google::iam::v1::Policy> Write(
    store::KvTransaction& txn, std::string_view resource,
    const google::iam::v1::SetIamPolicyRequest& request, const Rules& rules,
    absl::Time now);

// Adds a member to a role without condition: what a service does on its own.
absl::Status Grant(store::KvTransaction& txn, std::string_view resource,
                   std::string_view role, std::string_view member,
                   absl::Time now);

absl::Status Forget(store::KvTransaction& txn, std::string_view resource);

// The permissions asked for, each once. Whether the caller holds them is not
// evaluated: all are said to be held. INVALID_ARGUMENT for what is no
// permission.
absl::StatusOr<google::iam::v1::TestIamPermissionsResponse> Test(
    const google::iam::v1::TestIamPermissionsRequest& request);

}  // namespace brume::services::policy
