#include "services/storage/names.h"

#include <gtest/gtest.h>

#include <string>

namespace brume::services::storage {
namespace {

TEST(NamesTest, BucketNamesFollowTheDocumentedRules) {
  for (const char* good :
       {"abc", "my-ml-bucket", "a_b.c-d", "0.1.2", "1.2.3.x"}) {
    EXPECT_TRUE(CheckBucketName(good).ok()) << good;
  }
  for (const char* bad :
       {"", "ab", "Abc", "-abc", "abc-", "a..b", "a/b", "192.168.5.4", "goog-x",
        "my-google-x", "a b c", "..", "\xff\xfe\xfd"}) {
    EXPECT_FALSE(CheckBucketName(bad).ok()) << bad;
  }
  EXPECT_TRUE(CheckBucketName(std::string(63, 'a')).ok());
  EXPECT_FALSE(CheckBucketName(std::string(64, 'a')).ok());
  EXPECT_EQ(CheckBucketName("Abc").message(), "Invalid bucket name: 'Abc'");
}

TEST(NamesTest, ObjectNamesMayNotEscape) {
  for (const char* good :
       {"a", "a/", "a/b", "/a", "a/../b", "\xc3\xa9", "..."}) {
    EXPECT_TRUE(CheckObjectName(good).ok()) << good;
  }
  EXPECT_TRUE(CheckObjectName(std::string(1024, 'x')).ok());
  EXPECT_FALSE(CheckObjectName(std::string(1025, 'x')).ok());
  EXPECT_FALSE(CheckObjectName(std::string("a\0b", 3)).ok());
  for (const char* bad : {"", ".", "..", "a\rb", "a\nb", "\xff", "\xc0\xaf",
                          "\xed\xa0\x80", ".well-known/acme-challenge/x"}) {
    EXPECT_FALSE(CheckObjectName(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace brume::services::storage
