#include "services/storage/generations.h"

#include "store/kv/memory_kv_store.h"

#include <gtest/gtest.h>

namespace brume::services::storage {
namespace {

TEST(GenerationsTest, RiseThoughTheClockStandsGoesBackOrTheProcessRestarts) {
  store::MemoryKvStore kv;
  base::ManualClock clock(absl::FromUnixSeconds(1'700'000'000));
  auto first = Generations::Create(&kv, &clock);
  ASSERT_TRUE(first.ok());

  const int64_t a = *(*first)->Next();
  const int64_t b = *(*first)->Next();
  clock.Advance(-absl::Hours(1));
  const int64_t c = *(*first)->Next();
  auto second = Generations::Create(&kv, &clock);
  ASSERT_TRUE(second.ok());
  const int64_t d = *(*second)->Next();

  EXPECT_EQ(a, 1'700'000'000'000'000);
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  EXPECT_LT(c, d);
}

TEST(GenerationsTest, FollowTheClockAgainWhenItHasPassedTheMark) {
  store::MemoryKvStore kv;
  base::ManualClock clock(absl::FromUnixSeconds(1'700'000'000));
  auto generations = Generations::Create(&kv, &clock);
  ASSERT_TRUE(generations.ok());
  ASSERT_TRUE((*generations)->Next().ok());
  clock.Advance(absl::Minutes(1));
  EXPECT_EQ(*(*generations)->Next(), 1'700'000'060'000'000);
}

}  // namespace
}  // namespace brume::services::storage
