#include "api/storage/content_range.h"

#include <gtest/gtest.h>

namespace brume::api::storage {
namespace {

TEST(ContentRangeTest, FormsOfClientsAreRead) {
  const auto part = ParseContentRange("bytes 0-524287/2000000");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->first, 0u);
  EXPECT_EQ(part->last, 524287u);
  EXPECT_EQ(part->total, 2000000u);
  const auto open = ParseContentRange("bytes 0-*/*");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->first, 0u);
  EXPECT_FALSE(open->last);
  EXPECT_FALSE(open->total);
  const auto question = ParseContentRange("bytes */*");
  ASSERT_TRUE(question);
  EXPECT_FALSE(question->first);
  const auto end = ParseContentRange("bytes */0");
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->first);
  EXPECT_EQ(end->total, 0u);
}

TEST(ContentRangeTest, NonsenseIsRefused) {
  for (const char* text :
       {"", "bytes", "bytes ", "bytes 1", "bytes 1-", "bytes 5-4/9",
        "bytes 0-9/9", "bytes 0-1/2 ,", "items 0-1/2", "bytes -1-2/3",
        "bytes 0-99999999999999999999/*", "bytes 0-1/x", "bytes */"}) {
    EXPECT_FALSE(ParseContentRange(text)) << text;
  }
}

TEST(ContentRangeTest, RangesOfDownloads) {
  ByteRange range;
  EXPECT_EQ(ParseRange("bytes=2-4", 10, range), RangeKind::kPart);
  EXPECT_EQ(range.offset, 2u);
  EXPECT_EQ(range.length, 3u);
  EXPECT_EQ(ParseRange("bytes=5-", 10, range), RangeKind::kPart);
  EXPECT_EQ(range.length, 5u);
  EXPECT_EQ(ParseRange("bytes=-3", 10, range), RangeKind::kPart);
  EXPECT_EQ(range.offset, 7u);
  EXPECT_EQ(ParseRange("bytes=-30", 10, range), RangeKind::kPart);
  EXPECT_EQ(range.offset, 0u);
  EXPECT_EQ(ParseRange("bytes=0-99", 10, range), RangeKind::kPart);
  EXPECT_EQ(range.length, 10u);
  EXPECT_EQ(ParseRange("bytes=10-", 10, range), RangeKind::kUnsatisfiable);
  EXPECT_EQ(ParseRange("bytes=0-", 0, range), RangeKind::kUnsatisfiable);
  EXPECT_EQ(ParseRange("bytes=-0", 10, range), RangeKind::kUnsatisfiable);
  EXPECT_EQ(ParseRange("bytes=4-2", 10, range), RangeKind::kNone);
  EXPECT_EQ(ParseRange("bytes=0-1,3-4", 10, range), RangeKind::kNone);
  EXPECT_EQ(ParseRange(std::nullopt, 10, range), RangeKind::kNone);
}

}  // namespace
}  // namespace brume::api::storage
