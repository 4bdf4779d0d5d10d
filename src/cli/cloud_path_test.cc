#include "cli/cloud_path.h"

#include <gtest/gtest.h>

namespace brume::cli {
namespace {

TEST(CloudPathTest, ReadsBucketsObjectsAndFiles) {
  const auto object = ParseCloudPath("gs://b/a/n.txt");
  ASSERT_TRUE(object.ok());
  EXPECT_TRUE(object->remote);
  EXPECT_EQ(object->bucket, "b");
  EXPECT_EQ(object->object, "a/n.txt");
  EXPECT_EQ(object->Text(), "gs://b/a/n.txt");
  EXPECT_EQ(ParseCloudPath("gs://b")->object, "");
  const auto file = ParseCloudPath("a/b");
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE(file->remote);
  EXPECT_EQ(file->local, "a/b");
  EXPECT_FALSE(ParseCloudPath("gs://").ok());
  EXPECT_FALSE(ParseCloudPath("gs:///x").ok());
  EXPECT_FALSE(ParseCloudPath("").ok());
}

TEST(CloudPathTest, BaseNamesAndTypes) {
  EXPECT_EQ(BaseName("a/b/c"), "c");
  EXPECT_EQ(BaseName("a/b/"), "b");
  EXPECT_EQ(BaseName("a"), "a");
  EXPECT_EQ(ContentTypeOf("x.json"), "application/json");
  EXPECT_EQ(ContentTypeOf("x"), "application/octet-stream");
}

}  // namespace
}  // namespace brume::cli
