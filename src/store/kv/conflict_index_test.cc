#include "store/kv/conflict_index.h"

#include <gtest/gtest.h>

namespace brume::store {
namespace {

void Commit(ConflictIndex& index, const Footprint& footprint) {
  index.Add(footprint);
  index.Publish();
}

TEST(ConflictIndexTest, OverlappingWritersOfOneKeyConflict) {
  ConflictIndex index;
  const uint64_t start = index.Begin();

  Commit(index, {{}, {"k"}});

  EXPECT_TRUE(index.Conflicts(start, {{}, {"k"}}));
  EXPECT_TRUE(index.Conflicts(start, {{"k"}, {"other"}}));
  EXPECT_FALSE(index.Conflicts(start, {{"other"}, {"another"}}));
}

TEST(ConflictIndexTest, ReaderForUpdateStopsAWriterAndNoReader) {
  ConflictIndex index;
  const uint64_t start = index.Begin();

  Commit(index, {{"parent"}, {"child"}});

  EXPECT_TRUE(index.Conflicts(start, {{}, {"parent"}}));
  EXPECT_FALSE(index.Conflicts(start, {{"parent"}, {"second child"}}));
}

TEST(ConflictIndexTest, WhatCommittedBeforeTheStartIsNoConflict) {
  ConflictIndex index;
  const uint64_t earlier = index.Begin();
  Commit(index, {{}, {"k"}});

  const uint64_t start = index.Begin();

  EXPECT_FALSE(index.Conflicts(start, {{"k"}, {"k"}}));
  EXPECT_TRUE(index.Conflicts(earlier, {{}, {"k"}}));
}

TEST(ConflictIndexTest, WhoBeginsWhileACommitIsUnderWayConflictsWithIt) {
  ConflictIndex index;
  index.Add({{}, {"k"}});
  const uint64_t during = index.Begin();
  index.Publish();
  const uint64_t after = index.Begin();

  EXPECT_TRUE(index.Conflicts(during, {{}, {"k"}}));
  EXPECT_FALSE(index.Conflicts(after, {{}, {"k"}}));
}

TEST(ConflictIndexTest, ForgetsWhatNobodyOpenCanConflictWith) {
  ConflictIndex index;
  const uint64_t first = index.Begin();
  Commit(index, {{"p"}, {"a", "b"}});
  const uint64_t second = index.Begin();
  Commit(index, {{}, {"b", "c"}});
  EXPECT_EQ(index.size(), 4u);

  index.End(first);
  EXPECT_EQ(index.size(), 2u);
  EXPECT_TRUE(index.Conflicts(second, {{}, {"b"}}));

  index.End(second);
  EXPECT_EQ(index.size(), 0u);
  Commit(index, {{}, {"a"}});
  EXPECT_EQ(index.size(), 0u);
}

}  // namespace
}  // namespace brume::store
