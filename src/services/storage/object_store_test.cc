#include "services/storage/object_store.h"

#include "services/storage/bucket_store.h"
#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::services::storage {
namespace {

using brume::storage::Conditions;
using brume::storage::Object;

// Small objects alone: nothing here needs a blob.
class ObjectStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    generations_ = *Generations::Create(&kv_, &clock_);
    objects_ = std::make_unique<ObjectStore>(ObjectStore::Options{
        .kv = &kv_, .clock = &clock_, .generations = generations_.get()});
    brume::storage::Bucket bucket;
    bucket.set_name("bkt");
    ASSERT_TRUE(buckets_.Insert({bucket, "p", 123}).ok());
  }

  absl::StatusOr<Object> Put(const std::string& name, std::string_view bytes,
                             const Conditions& conditions = {},
                             std::string crc32c = "") {
    PayloadWriter writer(nullptr);
    EXPECT_TRUE(writer.Append(bytes).ok());
    Object object;
    object.set_bucket("bkt");
    object.set_name(name);
    if (!crc32c.empty()) object.set_crc32c(crc32c);
    return objects_->Insert({.object = object, .conditions = conditions},
                            *writer.Finish());
  }
  std::string Read(const std::string& name, int64_t generation = 0) {
    auto opened = objects_->Open("bkt", name, generation, {});
    return opened.ok() ? opened->bytes : opened.status().ToString();
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  std::unique_ptr<Generations> generations_;
  std::unique_ptr<ObjectStore> objects_;
  BucketStore buckets_{{.kv = &kv_, .clock = &clock_}};
};

TEST_F(ObjectStoreTest, WhatIsWrittenIsReadWithItsChecksums) {
  auto written = Put("one.txt", "file 1\n");
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->crc32c(), "h4evrA==");
  EXPECT_EQ(written->md5_hash(), "4kO7OchEs1Q6dyZXbIacrw==");
  EXPECT_EQ(written->size(), 7u);
  EXPECT_EQ(written->storage_class(), "STANDARD");
  EXPECT_EQ(Read("one.txt"), "file 1\n");
  EXPECT_EQ(objects_->Get("bkt", "no", 0, {}).status().message(),
            "No such object: bkt/no");
  EXPECT_EQ(objects_->Get("none", "no", 0, {}).status().message(),
            "The specified bucket does not exist.");
}

TEST_F(ObjectStoreTest, AWrongChecksumLeavesNothing) {
  EXPECT_EQ(Put("x", "file 1\n", {}, "AAAAAA==").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(objects_->Get("bkt", "x", 0, {}).ok());
}

TEST_F(ObjectStoreTest, GenerationZeroMakesOnlyOnce) {
  Conditions absent;
  absent.set_generation_match(0);
  auto first = Put("x", "1", absent);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Put("x", "2", absent).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Read("x"), "1");
  auto second = Put("x", "2");
  EXPECT_GT(second->generation(), first->generation());
  EXPECT_FALSE(objects_->Get("bkt", "x", first->generation(), {}).ok());
}

TEST_F(ObjectStoreTest, AVersionedBucketKeepsWhatIsOverwrittenOrDeleted) {
  ASSERT_TRUE(
      buckets_
          .Update("bkt", {},
                  [](brume::storage::BucketRecord& record) {
                    record.mutable_bucket()->mutable_versioning()->set_enabled(
                        true);
                    return absl::OkStatus();
                  })
          .ok());
  const int64_t first = Put("x", "1")->generation();
  const int64_t second = Put("x", "2")->generation();
  ASSERT_TRUE(objects_->Delete("bkt", "x", 0, {}).ok());
  EXPECT_FALSE(objects_->Get("bkt", "x", 0, {}).ok());
  EXPECT_EQ(Read("x", first), "1");
  EXPECT_EQ(Read("x", second), "2");
  EXPECT_EQ(objects_->List({.bucket = "bkt", .versions = true})->items.size(),
            2u);
  EXPECT_FALSE(buckets_.Delete("bkt", {}).ok());
  ASSERT_TRUE(objects_->Delete("bkt", "x", first, {}).ok());
  ASSERT_TRUE(objects_->Delete("bkt", "x", second, {}).ok());
  EXPECT_TRUE(buckets_.Delete("bkt", {}).ok());
}

TEST_F(ObjectStoreTest, ACopyOutlivesItsSource) {
  ASSERT_TRUE(Put("a", "bytes").ok());
  auto copied = objects_->Copy({.source_bucket = "bkt",
                                .source_object = "a",
                                .bucket = "bkt",
                                .object = "b"});
  ASSERT_TRUE(copied.ok()) << copied.status();
  ASSERT_TRUE(objects_->Delete("bkt", "a", 0, {}).ok());
  EXPECT_EQ(Read("b"), "bytes");
  // Onto itself, as a change of storage class does.
  ASSERT_TRUE(objects_
                  ->Copy({.source_bucket = "bkt",
                          .source_object = "b",
                          .bucket = "bkt",
                          .object = "b"})
                  .ok());
  EXPECT_EQ(Read("b"), "bytes");
}

TEST_F(ObjectStoreTest, AHeldObjectStays) {
  ASSERT_TRUE(Put("a", "1").ok());
  auto held = objects_->Update("bkt", "a", 0, {}, [](Object& object) {
    object.set_temporary_hold(true);
    return absl::OkStatus();
  });
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->metageneration(), 2);
  EXPECT_EQ(objects_->Delete("bkt", "a", 0, {}).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Put("a", "2").status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Read("a"), "1");
}

TEST_F(ObjectStoreTest, BucketsHaveDefaultsPagesAndOneOwner) {
  auto bucket = buckets_.Get("bkt", {});
  ASSERT_TRUE(bucket.ok());
  EXPECT_EQ(bucket->bucket().location(), "US");
  EXPECT_EQ(bucket->bucket().location_type(), "multi-region");
  brume::storage::Bucket again;
  again.set_name("bkt");
  EXPECT_EQ(buckets_.Insert({again, "p", 123}).status().message(),
            "Your previous request to create the named bucket succeeded and "
            "you already own it.");
  EXPECT_THAT(
      std::string(buckets_.Insert({again, "other", 5}).status().message()),
      ::testing::HasSubstr("is not available"));
  again.set_name("bkt2");
  ASSERT_TRUE(buckets_.Insert({again, "p", 123}).ok());
  auto page = buckets_.List("p", "", 1, "");
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->buckets.size(), 1u);
  auto rest = buckets_.List("p", "", 1, page->next_page_token);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->buckets.size(), 1u);
  EXPECT_EQ(rest->buckets[0].bucket().name(), "bkt2");
  EXPECT_EQ(rest->next_page_token, "");
  EXPECT_TRUE(buckets_.List("other", "", 9, "")->buckets.empty());
}

}  // namespace
}  // namespace brume::services::storage
