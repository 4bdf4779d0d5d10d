#include "services/iam/names.h"

#include <gtest/gtest.h>

namespace brume::services::iam {
namespace {

TEST(NamesTest, ResourceNamesAreTakenApart) {
  const auto account = ParseAccountName("projects/-/serviceAccounts/a@b.c");
  ASSERT_TRUE(account.ok());
  EXPECT_EQ(account->project, "-");
  EXPECT_EQ(account->account, "a@b.c");
  const auto key = ParseKeyName("projects/p/serviceAccounts/a@b.c/keys/k1");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->key, "k1");
  EXPECT_EQ(*ParseProjectName("projects/p"), "p");
  for (const char* bad :
       {"", "projects/p", "projects//serviceAccounts/a",
        "projects/p/serviceAccounts/", "projects/p/serviceAccounts/a/b",
        "folders/p/serviceAccounts/a", "projects/p/serviceAccounts"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseAccountName(bad).status())) << bad;
    EXPECT_TRUE(absl::IsInvalidArgument(ParseKeyName(bad).status())) << bad;
  }
}

TEST(NamesTest, AccountIdsAreRefusedInGooglesWords) {
  EXPECT_TRUE(CheckAccountId("ml-trainer").ok());
  EXPECT_TRUE(CheckAccountId(std::string(30, 'a')).ok());
  EXPECT_EQ(CheckAccountId("abc").message(),
            "The account ID \"abc\" does not have a length between 6 and 30.");
  EXPECT_FALSE(CheckAccountId(std::string(31, 'a')).ok());
  EXPECT_EQ(CheckAccountId("ml-trainer-").message(),
            "ml-trainer- does not match [a-z][a-z\\d\\-]*[a-z\\d].");
  for (const char* bad : {"Ml-trainer", "1trainer", "ml_trainer", "-trainer",
                          "", "a@b.cd.ef", "ml\xfftrainer"}) {
    EXPECT_FALSE(CheckAccountId(bad).ok()) << bad;
  }
}

TEST(NamesTest, EmailsOfDomainScopedProjectsAreTurnedRound) {
  EXPECT_EQ(AccountEmail("ml-trainer", "my-project"),
            "ml-trainer@my-project.iam.gserviceaccount.com");
  EXPECT_EQ(AccountEmail("ml-trainer", "example.com:my-project"),
            "ml-trainer@my-project.example.com.iam.gserviceaccount.com");
}

}  // namespace
}  // namespace brume::services::iam
