#include "base/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::base {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(EncodingTest, Base64ReadsBothAlphabetsPaddedOrNot) {
  EXPECT_EQ(Base64Encode("\xfb\xff"), "+/8=");
  EXPECT_EQ(Base64UrlEncode("\xfb\xff"), "-_8");
  EXPECT_THAT(Base64Decode("+/8="), Optional(Eq("\xfb\xff")));
  EXPECT_THAT(Base64Decode("-_8"), Optional(Eq("\xfb\xff")));
  EXPECT_THAT(Base64Decode(""), Optional(Eq("")));
  EXPECT_EQ(Base64Decode("a"), std::nullopt);
  EXPECT_EQ(Base64Decode("ab=c"), std::nullopt);
  EXPECT_EQ(Base64Decode("YQ==="), std::nullopt);
}

TEST(EncodingTest, PercentRoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_THAT(PercentDecode(PercentEncode(all)), Optional(Eq(all)));
  EXPECT_EQ(PercentEncode("a/b c", "/"), "a/b%20c");
  EXPECT_THAT(PercentDecode("a+b%2B", true), Optional(Eq("a b+")));
  EXPECT_EQ(PercentDecode("%2"), std::nullopt);
  EXPECT_EQ(PercentDecode("%zz"), std::nullopt);
}

}  // namespace
}  // namespace brume::base
