#include "services/iam/key_store.h"

#include "services/iam/key_file.h"
#include "services/iam/test_project.h"
#include "services/signing/rsa.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace brume::services::iam {
namespace {

constexpr char kEmail[] = "ml-trainer@my-project.iam.gserviceaccount.com";

class KeyStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(project_.accounts.Create("my-project", "ml-trainer", {}).ok());
  }
  TestProject project_;
  AccountName name_{"my-project", kEmail};
};

TEST_F(KeyStoreTest, AKeyFileIsGooglesFieldForField) {
  const auto made = project_.keys.Create(name_);
  ASSERT_TRUE(made.ok()) << made.status();
  const std::string text = KeyFile(*made);
  EXPECT_EQ(text.substr(0, 55),
            "{\n  \"type\": \"service_account\",\n  \"project_id\": \"my-proj");
  EXPECT_NE(text.find("\n  \"universe_domain\": \"googleapis.com\"\n}\n"),
            std::string::npos);
  const boost::json::object file = boost::json::parse(text).as_object();
  EXPECT_EQ(file.size(), 11U);
  EXPECT_EQ(file.at("client_email").as_string(), kEmail);
  EXPECT_EQ(file.at("private_key_id").as_string(), made->key.id());
  EXPECT_EQ(made->key.id().size(), 40U);
  EXPECT_EQ(file.at("client_x509_cert_url").as_string(),
            "https://www.googleapis.com/robot/v1/metadata/x509/"
            "ml-trainer%40my-project.iam.gserviceaccount.com");
  EXPECT_EQ(file.at("universe_domain").as_string(), "googleapis.com");

  // What is signed with the file verifies with what the store kept.
  const auto secret = signing::RsaPrivateKey::FromPem(
      std::string(file.at("private_key").as_string()));
  ASSERT_TRUE(secret.ok());
  const auto valid = project_.keys.Valid(kEmail, made->key.id());
  ASSERT_TRUE(valid.ok());
  ASSERT_EQ(valid->size(), 1U);
  EXPECT_TRUE((*valid)[0].private_key_pem().empty());
  const auto open =
      signing::RsaPublicKey::FromPem((*valid)[0].certificate_pem());
  ASSERT_TRUE(open.ok());
  EXPECT_TRUE(open->Verifies("text", secret->Sign("text")));
}

TEST_F(KeyStoreTest, AnAccountHasTenKeysAtMost) {
  std::string first;
  for (int i = 0; i < 10; ++i) {
    const auto made = project_.keys.Create(name_);
    ASSERT_TRUE(made.ok()) << made.status();
    first = made->key.id();
  }
  const absl::Status full = project_.keys.Create(name_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(full));
  EXPECT_EQ(full.message(), "Precondition check failed.");
  ASSERT_TRUE(project_.keys.Delete({name_, first}).ok());
  EXPECT_TRUE(absl::IsNotFound(project_.keys.Delete({name_, first})));
  EXPECT_TRUE(project_.keys.Create(name_).ok());
}

TEST_F(KeyStoreTest, DisabledAndDeletedKeysVerifyNothing) {
  const auto made = project_.keys.Create(name_);
  ASSERT_TRUE(made.ok());
  const KeyName key{name_, made->key.id()};
  ASSERT_TRUE(project_.keys.SetDisabled(key, true).ok());
  EXPECT_TRUE(project_.keys.Valid(kEmail, key.key)->empty());
  EXPECT_TRUE(project_.keys.Valid(kEmail, "")->empty());
  ASSERT_TRUE(project_.keys.SetDisabled(key, false).ok());
  EXPECT_EQ(project_.keys.Valid(kEmail, "")->size(), 1U);
  ASSERT_TRUE(project_.keys.Delete(key).ok());
  EXPECT_TRUE(project_.keys.Valid(kEmail, key.key)->empty());
  EXPECT_TRUE(absl::IsNotFound(
      project_.keys.Valid("who@my-project.iam.gserviceaccount.com", "x")
          .status()));
}

TEST_F(KeyStoreTest, TheSystemsKeyIsMadeOnceAndRotates) {
  const auto account = project_.accounts.Get(name_);
  ASSERT_TRUE(account.ok());
  const auto first = project_.keys.SystemKey(*account);
  const auto second = project_.keys.SystemKey(*account);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->key_id, second->key_id);
  const auto listed = project_.keys.List(name_);
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->keys.size(), 1U);
  EXPECT_TRUE(listed->keys[0].system_managed());
  EXPECT_TRUE(
      absl::IsFailedPrecondition(project_.keys.Delete({name_, first->key_id})));
  // Of the last two years' keys the old one still verifies at the end.
  project_.clock.Advance(absl::Hours(24 * 730 - 12));
  const auto next = project_.keys.SystemKey(*account);
  ASSERT_TRUE(next.ok());
  EXPECT_NE(next->key_id, first->key_id);
  EXPECT_EQ(project_.keys.Valid(kEmail, first->key_id)->size(), 1U);
}

}  // namespace
}  // namespace brume::services::iam
