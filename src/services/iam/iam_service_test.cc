#include "services/iam/iam_service.h"

#include "services/iam/test_project.h"

#include <gtest/gtest.h>

namespace brume::services::iam {
namespace {

namespace admin = google::iam::admin::v1;

constexpr char kName[] =
    "projects/my-project/serviceAccounts/"
    "ml-trainer@my-project.iam.gserviceaccount.com";
constexpr char kAnyName[] =
    "projects/-/serviceAccounts/ml-trainer@my-project.iam.gserviceaccount.com";

class IamServiceTest : public testing::Test {
 protected:
  absl::StatusOr<admin::ServiceAccount> Create(
      const std::string& id, const std::string& display = "") {
    admin::CreateServiceAccountRequest request;
    request.set_name("projects/my-project");
    request.set_account_id(id);
    request.mutable_service_account()->set_display_name(display);
    return iam_.CreateServiceAccount(request);
  }
  absl::StatusOr<admin::ServiceAccount> Get(const std::string& name) {
    admin::GetServiceAccountRequest request;
    request.set_name(name);
    return iam_.GetServiceAccount(request);
  }

  TestProject project_;
  std::unique_ptr<query::PageTokens> pages_ =
      *query::PageTokens::Create(project_.kv);
  IamService iam_{{.kv = &project_.kv,
                   .clock = &project_.clock,
                   .accounts = &project_.accounts,
                   .keys = &project_.keys,
                   .pages = pages_.get(),
                   .find_project = TestProject::Lookup}};
};

TEST_F(IamServiceTest, AnAccountIsMadeOnce) {
  const auto made = Create("ml-trainer", "ML Training Service Account");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->name(), kName);
  EXPECT_EQ(made->email(), "ml-trainer@my-project.iam.gserviceaccount.com");
  EXPECT_EQ(made->display_name(), "ML Training Service Account");
  EXPECT_EQ(made->project_id(), "my-project");
  EXPECT_EQ(made->unique_id().size(), 21U);
  EXPECT_EQ(made->oauth2_client_id(), made->unique_id());
  const absl::Status again = Create("ml-trainer").status();
  EXPECT_TRUE(absl::IsAlreadyExists(again));
  EXPECT_EQ(again.message(),
            "Service account ml-trainer already exists within project "
            "projects/my-project.");
  for (const std::string& name :
       {std::string(kName), std::string(kAnyName),
        "projects/-/serviceAccounts/" + made->unique_id(),
        "projects/123456789012/serviceAccounts/" + made->email()}) {
    EXPECT_EQ(Get(name)->unique_id(), made->unique_id()) << name;
  }
  const absl::Status other =
      Get("projects/other-proj/serviceAccounts/" + made->email()).status();
  EXPECT_TRUE(absl::IsNotFound(other));
  EXPECT_EQ(other.message(), "Unknown service account");
}

TEST_F(IamServiceTest, AProjectThatIsNotThereIsRefused) {
  admin::CreateServiceAccountRequest request;
  request.set_name("projects/other-proj");
  request.set_account_id("ml-trainer");
  EXPECT_TRUE(
      absl::IsPermissionDenied(iam_.CreateServiceAccount(request).status()));
}

TEST_F(IamServiceTest, ListsArePagedByEmail) {
  for (const char* id : {"aaa-one", "bbb-two", "ccc-three"}) {
    ASSERT_TRUE(Create(id).ok());
  }
  ASSERT_TRUE(project_.kv
                  .Transact([&](store::KvTransaction& txn) {
                    return project_.accounts.CreateManaged(
                        txn, {"my-project", "123456789012"},
                        "service-123456789012@gcp-sa-aiplatform.iam."
                        "gserviceaccount.com",
                        "Vertex AI Service Agent", true);
                  })
                  .ok());
  admin::ListServiceAccountsRequest request;
  request.set_name("projects/my-project");
  request.set_page_size(2);
  const auto first = iam_.ListServiceAccounts(request);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->accounts_size(), 2);
  EXPECT_EQ(first->accounts(1).email(),
            "bbb-two@my-project.iam.gserviceaccount.com");
  request.set_page_token(first->next_page_token());
  const auto second = iam_.ListServiceAccounts(request);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ(second->accounts_size(), 1) << "the agent is not listed";
  EXPECT_TRUE(second->next_page_token().empty());
  request.set_page_token("junk");
  EXPECT_TRUE(
      absl::IsInvalidArgument(iam_.ListServiceAccounts(request).status()));
}

TEST_F(IamServiceTest, ServiceAgentsAreNobodysToSeeOrDelete) {
  const std::string agent =
      "service-1@gcp-sa-aiplatform.iam.gserviceaccount.com";
  ASSERT_TRUE(project_.kv
                  .Transact([&](store::KvTransaction& txn) {
                    return project_.accounts.CreateManaged(
                        txn, {"my-project", "123456789012"}, agent, "Agent",
                        true);
                  })
                  .ok());
  EXPECT_TRUE(
      absl::IsNotFound(Get("projects/-/serviceAccounts/" + agent).status()));
  admin::DeleteServiceAccountRequest remove;
  remove.set_name("projects/-/serviceAccounts/" + agent);
  EXPECT_TRUE(absl::IsNotFound(iam_.DeleteServiceAccount(remove).status()));
  EXPECT_TRUE(project_.accounts.Get({"-", agent}).ok());
}

TEST_F(IamServiceTest, PatchChangesWhatTheMaskNames) {
  ASSERT_TRUE(Create("ml-trainer", "Old").ok());
  admin::PatchServiceAccountRequest request;
  request.mutable_service_account()->set_name(kAnyName);
  request.mutable_service_account()->set_display_name("New");
  request.mutable_service_account()->set_description("words");
  request.mutable_update_mask()->add_paths("description");
  const auto changed = iam_.PatchServiceAccount(request);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->display_name(), "Old");
  EXPECT_EQ(changed->description(), "words");
  request.mutable_service_account()->set_display_name(std::string(101, 'x'));
  EXPECT_FALSE(iam_.PatchServiceAccount(request).ok());
}

TEST_F(IamServiceTest, DeletedAccountsCanBeRestoredFor30Days) {
  const auto made = Create("ml-trainer");
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(project_.keys.Create({"my-project", made->email()}).ok());
  admin::DeleteServiceAccountRequest remove;
  remove.set_name(kName);
  ASSERT_TRUE(iam_.DeleteServiceAccount(remove).ok());
  EXPECT_TRUE(absl::IsNotFound(Get(kName).status()));
  EXPECT_TRUE(absl::IsNotFound(iam_.DeleteServiceAccount(remove).status()));

  admin::UndeleteServiceAccountRequest restore;
  restore.set_name("projects/my-project/serviceAccounts/" + made->unique_id());
  const auto anew = Create("ml-trainer");
  ASSERT_TRUE(anew.ok());
  EXPECT_NE(anew->unique_id(), made->unique_id());
  EXPECT_TRUE(absl::IsFailedPrecondition(
      iam_.UndeleteServiceAccount(restore).status()));
  ASSERT_TRUE(iam_.DeleteServiceAccount(remove).ok());

  project_.clock.Advance(absl::Hours(24 * 29));
  const auto restored = iam_.UndeleteServiceAccount(restore);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->restored_account().unique_id(), made->unique_id());
  EXPECT_EQ(project_.keys.Valid(made->email(), "")->size(), 1U);

  ASSERT_TRUE(iam_.DeleteServiceAccount(remove).ok());
  project_.clock.Advance(absl::Hours(24 * 30));
  EXPECT_TRUE(absl::IsNotFound(iam_.UndeleteServiceAccount(restore).status()));
}

TEST_F(IamServiceTest, KeysAreShownAsGoogleShowsThem) {
  ASSERT_TRUE(Create("ml-trainer").ok());
  admin::CreateServiceAccountKeyRequest create;
  create.set_name(kAnyName);
  create.set_private_key_type(admin::TYPE_GOOGLE_CREDENTIALS_FILE);
  const auto made = iam_.CreateServiceAccountKey(create);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->name().rfind(std::string(kName) + "/keys/", 0), 0U);
  EXPECT_EQ(made->key_type(),
            admin::ListServiceAccountKeysRequest::USER_MANAGED);
  EXPECT_EQ(made->valid_before_time().seconds(), 253402300799);
  EXPECT_EQ(made->private_key_data().substr(0, 1), "{");

  admin::ListServiceAccountKeysRequest list;
  list.set_name(kAnyName);
  EXPECT_EQ(iam_.ListServiceAccountKeys(list)->keys_size(), 2);
  list.add_key_types(admin::ListServiceAccountKeysRequest::USER_MANAGED);
  const auto keys = iam_.ListServiceAccountKeys(list);
  ASSERT_EQ(keys->keys_size(), 1);
  EXPECT_TRUE(keys->keys(0).private_key_data().empty());

  admin::GetServiceAccountKeyRequest get;
  get.set_name(made->name());
  get.set_public_key_type(admin::TYPE_X509_PEM_FILE);
  EXPECT_EQ(iam_.GetServiceAccountKey(get)->public_key_data().substr(0, 27),
            "-----BEGIN CERTIFICATE-----");
  get.set_public_key_type(admin::TYPE_RAW_PUBLIC_KEY);
  EXPECT_EQ(iam_.GetServiceAccountKey(get)->public_key_data().substr(0, 26),
            "-----BEGIN PUBLIC KEY-----");

  create.set_private_key_type(admin::TYPE_PKCS12_FILE);
  EXPECT_TRUE(
      absl::IsInvalidArgument(iam_.CreateServiceAccountKey(create).status()));
}

TEST_F(IamServiceTest, PoliciesOfAccountsNameAccountsThatExist) {
  ASSERT_TRUE(Create("ml-trainer").ok());
  google::iam::v1::SetIamPolicyRequest set;
  set.set_resource(kName);
  auto& binding = *set.mutable_policy()->add_bindings();
  binding.set_role("roles/iam.serviceAccountTokenCreator");
  binding.add_members("serviceAccount:gone@my-project.iam.gserviceaccount.com");
  EXPECT_EQ(iam_.SetIamPolicy(set).status().message(),
            "Service account gone@my-project.iam.gserviceaccount.com does not "
            "exist.");
  binding.set_members(
      0, "serviceAccount:ml-trainer@my-project.iam.gserviceaccount.com");
  binding.add_members(
      "serviceAccount:service-9@gcp-sa-aiplatform.iam.gserviceaccount.com");
  ASSERT_TRUE(iam_.SetIamPolicy(set).ok());
  google::iam::v1::GetIamPolicyRequest get;
  get.set_resource(kAnyName);
  EXPECT_EQ(iam_.GetIamPolicy(get)->bindings_size(), 1);
}

}  // namespace
}  // namespace brume::services::iam
