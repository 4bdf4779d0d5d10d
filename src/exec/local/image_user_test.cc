#include "exec/local/image_user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:,,,:/home/app:/bin/sh\n"
    "broken\n7:x:70:71::/seven:/bin/sh\n";
constexpr std::string_view kGroup =
    "root:x:0:\nstaff:x:50:app,other\nvideo:x:44:app\nweb:x:33:\n";

TEST(ImageUserTest, NoUserIsRoot) {
  const auto user = FindImageUser("", kPasswd, kGroup);

  ASSERT_TRUE(user.ok());
  EXPECT_EQ(user->uid, 0u);
  EXPECT_EQ(user->home, "/root");
  EXPECT_EQ(FindImageUser("", "", "")->home, "/root");
}

TEST(ImageUserTest, ANameBringsItsGroups) {
  const auto user = FindImageUser("app", kPasswd, kGroup);

  ASSERT_TRUE(user.ok());
  EXPECT_EQ(user->uid, 1000u);
  EXPECT_EQ(user->gid, 1001u);
  EXPECT_EQ(user->home, "/home/app");
  EXPECT_THAT(user->groups, ElementsAre(50u, 44u));
}

TEST(ImageUserTest, AnExplicitGroupIsTheOnlyOne) {
  const auto user = FindImageUser("app:web", kPasswd, kGroup);

  ASSERT_TRUE(user.ok());
  EXPECT_EQ(user->gid, 33u);
  EXPECT_THAT(user->groups, IsEmpty());
  EXPECT_EQ(FindImageUser("5:6", kPasswd, kGroup)->gid, 6u);
}

TEST(ImageUserTest, NumbersNeedNoEntry) {
  const auto user = FindImageUser("4711", kPasswd, kGroup);

  ASSERT_TRUE(user.ok());
  EXPECT_EQ(user->uid, 4711u);
  EXPECT_EQ(user->gid, 0u);
  EXPECT_EQ(user->home, "/");
}

TEST(ImageUserTest, ANameThatIsANumberComesFirst) {
  EXPECT_EQ(FindImageUser("7", kPasswd, kGroup)->uid, 70u);
}

TEST(ImageUserTest, UnknownNamesAreRefusedInDockersWords) {
  EXPECT_THAT(
      FindImageUser("eve", kPasswd, kGroup).status().ToString(),
      HasSubstr("unable to find user eve: no matching entries in passwd"));
  EXPECT_THAT(FindImageUser("app:eve", kPasswd, kGroup).status().ToString(),
              HasSubstr("unable to find group eve"));
  EXPECT_FALSE(FindImageUser("-1", kPasswd, kGroup).ok());
  EXPECT_FALSE(FindImageUser("99999999999", kPasswd, kGroup).ok());
}

}  // namespace
}  // namespace brume::exec
