#include "services/policy/policy.h"

#include "base/encoding.h"
#include "store/kv/memory_kv_store.h"

#include <gtest/gtest.h>

#include <string>

namespace brume::services::policy {
namespace {

using google::iam::v1::Policy;
using google::iam::v1::SetIamPolicyRequest;

constexpr char kResource[] = "projects/123456789012";

class PolicyTest : public testing::Test {
 protected:
  absl::StatusOr<Policy> Get(int version = 3) {
    return Read(*kv_.Snapshot(), kResource, version);
  }
  absl::StatusOr<Policy> Set(const Policy& policy) {
    SetIamPolicyRequest request;
    *request.mutable_policy() = policy;
    return Set(request);
  }
  absl::StatusOr<Policy> Set(const SetIamPolicyRequest& request) {
    absl::StatusOr<Policy> out = absl::UnknownError("not run");
    const absl::Status committed = kv_.Transact([&](store::KvTransaction& txn) {
      out = Write(txn, kResource, request, rules_, now_);
      return out.status();
    });
    return committed.ok() ? out : absl::StatusOr<Policy>(committed);
  }
  static void Bind(Policy& policy, std::string role, std::string member) {
    auto& binding = *policy.add_bindings();
    binding.set_role(std::move(role));
    binding.add_members(std::move(member));
  }

  store::MemoryKvStore kv_;
  Rules rules_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(PolicyTest, APolicyNeverSetIsEmpty) {
  const auto policy = Get();
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ(policy->bindings_size(), 0);
  EXPECT_EQ(policy->version(), 0);
  EXPECT_EQ(base::Base64Encode(policy->etag()), "ACAB");
}

TEST_F(PolicyTest, BindingsAreMergedAndSorted) {
  Policy policy;
  Bind(policy, "roles/viewer", "user:b@x.com");
  Bind(policy, "roles/owner", "user:a@x.com");
  Bind(policy, "roles/viewer", "user:a@x.com");
  Bind(policy, "roles/viewer", "user:b@x.com");
  const auto set = Set(policy);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->version(), 1);
  ASSERT_EQ(set->bindings_size(), 2);
  EXPECT_EQ(set->bindings(0).role(), "roles/owner");
  EXPECT_EQ(set->bindings(1).members_size(), 2);
  EXPECT_EQ(set->bindings(1).members(0), "user:a@x.com");
  EXPECT_EQ(set->etag().size(), 8U);
  EXPECT_EQ(Get()->SerializeAsString(), set->SerializeAsString());
}

TEST_F(PolicyTest, AStaleEtagIsRefused) {
  Policy policy = *Get();
  Bind(policy, "roles/viewer", "user:a@x.com");
  const auto first = Set(policy);
  ASSERT_TRUE(first.ok());
  const absl::Status stale = Set(policy).status();
  EXPECT_TRUE(absl::IsAborted(stale));
  EXPECT_EQ(stale.message(),
            "There were concurrent policy changes. Please retry the whole "
            "read-modify-write with exponential backoff.");
  // At the same moment of the clock the etag still changes.
  const auto second = Set(*first);
  ASSERT_TRUE(second.ok());
  EXPECT_NE(second->etag(), first->etag());
  policy.clear_etag();
  EXPECT_TRUE(Set(policy).ok());
}

TEST_F(PolicyTest, ConditionsNeedVersion3) {
  Policy policy;
  Bind(policy, "roles/viewer", "user:a@x.com");
  policy.mutable_bindings(0)->mutable_condition()->set_title("t");
  policy.mutable_bindings(0)->mutable_condition()->set_expression(
      "request.time < timestamp('2030-01-01T00:00:00Z')");
  EXPECT_TRUE(absl::IsInvalidArgument(Set(policy).status()));
  policy.set_version(3);
  const auto set = Set(policy);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->version(), 3);

  const auto old = Get(1);
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->version(), 1);
  EXPECT_EQ(old->bindings(0).role().substr(0, 22), "roles/viewer_withcond_");
  EXPECT_FALSE(old->bindings(0).has_condition());
  EXPECT_FALSE(Get(2).ok());

  Policy plain;
  Bind(plain, "roles/viewer", "user:a@x.com");
  EXPECT_EQ(Set(plain).status().message().substr(0, 28),
            "Specified policy version (0)");
}

TEST_F(PolicyTest, MissingServiceAccountsAreRefused) {
  rules_.account_exists = [](store::KvReader&, std::string_view email) {
    return absl::StatusOr<bool>(email == "there@p.iam.gserviceaccount.com");
  };
  Policy policy;
  Bind(policy, "roles/viewer",
       "serviceAccount:there@p.iam.gserviceaccount.com");
  EXPECT_TRUE(Set(policy).ok());
  Bind(policy, "roles/viewer", "serviceAccount:gone@p.iam.gserviceaccount.com");
  EXPECT_EQ(Set(policy).status().message(),
            "Service account gone@p.iam.gserviceaccount.com does not exist.");
  EXPECT_EQ(Get()->bindings(0).members_size(), 1);
}

TEST_F(PolicyTest, AMaskReplacesOnlyWhatItNames) {
  SetIamPolicyRequest request;
  request.mutable_policy()->add_audit_configs()->set_service("allServices");
  Bind(*request.mutable_policy(), "roles/viewer", "user:a@x.com");
  request.mutable_update_mask()->add_paths("bindings");
  ASSERT_TRUE(Set(request).ok());
  EXPECT_EQ(Get()->audit_configs_size(), 0);
  request.mutable_policy()->clear_bindings();
  request.mutable_update_mask()->set_paths(0, "auditConfigs");
  ASSERT_TRUE(Set(request).ok());
  EXPECT_EQ(Get()->audit_configs_size(), 1);
  EXPECT_EQ(Get()->bindings_size(), 1);
  request.mutable_update_mask()->set_paths(0, "nope");
  EXPECT_FALSE(Set(request).ok());
}

TEST_F(PolicyTest, GrantsAreAddedOnce) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(kv_.Transact([&](store::KvTransaction& txn) {
                     return Grant(txn, kResource, "roles/editor",
                                  "serviceAccount:x@y.z", now_);
                   })
                    .ok());
  }
  ASSERT_EQ(Get()->bindings_size(), 1);
  EXPECT_EQ(Get()->bindings(0).members_size(), 1);
}

TEST_F(PolicyTest, PermissionsAskedForAreHeld) {
  google::iam::v1::TestIamPermissionsRequest request;
  request.add_permissions("serviceusage.services.use");
  request.add_permissions("serviceusage.services.use");
  const auto held = policy::Test(request);
  ASSERT_TRUE(held.ok());
  ASSERT_EQ(held->permissions_size(), 1);
  EXPECT_EQ(held->permissions(0), "serviceusage.services.use");
  request.add_permissions("storage.*");
  EXPECT_EQ(policy::Test(request).status().message(),
            "Permission storage.* is not valid for this resource.");
}

}  // namespace
}  // namespace brume::services::policy
