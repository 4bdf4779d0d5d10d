#include "services/policy/syntax.h"

#include "services/policy/roles.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace brume::services::policy {
namespace {

TEST(RolesTest, TheListIsSortedSoThatEveryRoleIsFound) {
  EXPECT_TRUE(std::is_sorted(
      Roles().begin(), Roles().end(),
      [](const Role& a, const Role& b) { return a.name < b.name; }));
  for (const Role& role : Roles()) {
    EXPECT_EQ(FindRole(role.name), &role);
    EXPECT_TRUE(CheckRole(role.name).ok()) << role.name;
  }
}

TEST(SyntaxTest, UnknownRolesOfKnownProductsAreRefused) {
  for (const char* good :
       {"roles/owner", "roles/storage.objectViewer", "roles/spanner.admin",
        "projects/p/roles/my_role", "organizations/1/roles/a.b"}) {
    EXPECT_TRUE(CheckRole(good).ok()) << good;
  }
  for (const char* bad :
       {"roles/storage.objectViwer", "roles/ownr", "storage.admin", "roles/",
        "roles/a..b", "projects/p/roles/", "projects//roles/x",
        "roles/storage.admin ", "roles/\xff"}) {
    EXPECT_EQ(
        CheckRole(bad).message(),
        std::string("Role ") + bad + " is not supported for this resource.");
  }
  EXPECT_FALSE(CheckRole("").ok());
}

TEST(SyntaxTest, MembersNeedAType) {
  for (const char* good :
       {"user:a@b.c", "serviceAccount:x@p.iam.gserviceaccount.com",
        "group:g@b.c", "domain:example.com",
        "serviceAccount:p.svc.id.goog[ns/name]",
        "principalSet://iam.googleapis.com/projects/1/locations/global/"
        "workloadIdentityPools/p/*",
        "deleted:serviceAccount:x@p.iam.gserviceaccount.com?uid=1"}) {
    EXPECT_TRUE(CheckMember(good, false).ok()) << good;
  }
  EXPECT_EQ(CheckMember("bob@example.com", true).message(),
            "The member bob@example.com is of an unknown type. Please set a "
            "valid type prefix for the member.");
  for (const char* bad : {"", "user:", "user:bob", "user:a@b@c.d",
                          "domain:example", "User:a@b.c", "principal://"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckMember(bad, true))) << bad;
  }
  EXPECT_TRUE(CheckMember("allUsers", true).ok());
  EXPECT_FALSE(CheckMember("allUsers", false).ok());
}

TEST(SyntaxTest, PermissionsHaveThreeWords) {
  EXPECT_TRUE(IsPermission("storage.objects.get"));
  EXPECT_TRUE(IsPermission("resourcemanager.projects.getIamPolicy"));
  for (const char* bad : {"", "storage", "storage.objects", "storage.*.get",
                          "storage.objects.", ".a.b.c"}) {
    EXPECT_FALSE(IsPermission(bad)) << bad;
  }
}

}  // namespace
}  // namespace brume::services::policy
