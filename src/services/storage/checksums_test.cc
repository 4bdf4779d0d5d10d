#include "services/storage/checksums.h"

#include "base/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::services::storage {
namespace {

TEST(ChecksumsTest, Crc32cMatchesThePublishedVectors) {
  EXPECT_EQ(Crc32c(0, "123456789"), 0xe3069283u);  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(0, std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32cToText(Crc32c(0, "file 1\n")), "h4evrA==");
}

TEST(ChecksumsTest, CombiningEqualsHashingTheWhole) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text.push_back(static_cast<char>(i * 7));
  for (size_t cut : {0, 1, 3, 64, 4096, 4999, 5000}) {
    const std::string_view all = text;
    EXPECT_EQ(Crc32cCombine(Crc32c(0, all.substr(0, cut)),
                            Crc32c(0, all.substr(cut)), all.size() - cut),
              Crc32c(0, all))
        << cut;
  }
}

TEST(ChecksumsTest, TextIsRefusedUnlessItIsFourBytes) {
  EXPECT_EQ(*Crc32cFromText("h4evrA=="), Crc32c(0, "file 1\n"));
  EXPECT_FALSE(Crc32cFromText("").ok());
  EXPECT_FALSE(Crc32cFromText("h4evrAAA").ok());
  EXPECT_FALSE(Crc32cFromText("!!!!").ok());
}

TEST(ContentHasherTest, StateGoesOnWhereItWasSaved) {
  ContentHasher whole;
  whole.Update("file 1\n");
  EXPECT_EQ(base::Base64Encode(whole.md5()), "4kO7OchEs1Q6dyZXbIacrw==");

  ContentHasher first;
  first.Update("file");
  absl::StatusOr<ContentHasher> second =
      ContentHasher::FromState(first.SaveState());
  ASSERT_TRUE(second.ok());
  second->Update(" 1\n");
  EXPECT_EQ(second->md5(), whole.md5());
  EXPECT_EQ(second->crc32c(), whole.crc32c());
  EXPECT_FALSE(ContentHasher::FromState("x").ok());
}

}  // namespace
}  // namespace brume::services::storage
