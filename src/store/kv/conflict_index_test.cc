#include "store/kv/conflict_index.h"

#include <gtest/gtest.h>

namespace brume::store {
namespace {

TEST(ConflictIndexTest, OverlappingWritersOfOneKeyConflict) {
  ConflictIndex index;
  const uint64_t start = index.Begin();

  index.Add({{}, {"k"}});

  EXPECT_TRUE(index.Conflicts(start, {{}, {"k"}}));
  EXPECT_TRUE(index.Conflicts(start, {{"k"}, {"other"}}));
  EXPECT_FALSE(index.Conflicts(start, {{"other"}, {"another"}}));
}

TEST(ConflictIndexTest, ReaderForUpdateStopsAWriterAndNoReader) {
  ConflictIndex index;
  const uint64_t start = index.Begin();

  index.Add({{"parent"}, {"child"}});

  EXPECT_TRUE(index.Conflicts(start, {{}, {"parent"}}));
  EXPECT_FALSE(index.Conflicts(start, {{"parent"}, {"second child"}}));
}

TEST(ConflictIndexTest, WhatCommittedBeforeTheStartIsNoConflict) {
  ConflictIndex index;
  const uint64_t earlier = index.Begin();
  index.Add({{}, {"k"}});

  const uint64_t start = index.Begin();

  EXPECT_FALSE(index.Conflicts(start, {{"k"}, {"k"}}));
  EXPECT_TRUE(index.Conflicts(earlier, {{}, {"k"}}));
}

TEST(ConflictIndexTest, ForgetsWhatNobodyOpenCanConflictWith) {
  ConflictIndex index;
  const uint64_t first = index.Begin();
  index.Add({{"p"}, {"a", "b"}});
  const uint64_t second = index.Begin();
  index.Add({{}, {"b", "c"}});
  EXPECT_EQ(index.size(), 4u);

  index.End(first);
  EXPECT_EQ(index.size(), 2u);
  EXPECT_TRUE(index.Conflicts(second, {{}, {"b"}}));

  index.End(second);
  EXPECT_EQ(index.size(), 0u);
  index.Add({{}, {"a"}});
  EXPECT_EQ(index.size(), 0u);
}

}  // namespace
}  // namespace brume::store
