#pragma once

#include "store/kv/key.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// What every KvStore engine must do. Include it in the engine's test and
// instantiate it with a factory of empty stores:
//   INSTANTIATE_TEST_SUITE_P(Memory, KvConformanceTest, testing::Values(
//       [] { return std::make_unique<MemoryKvStore>(); }));
namespace brume::store {

using KvFactory = std::function<std::unique_ptr<KvStore>()>;

class KvConformanceTest : public testing::TestWithParam<KvFactory> {
 protected:
  using Rows = std::vector<std::pair<std::string, std::string>>;

  void SetUp() override {
    store_ = GetParam()();
    ASSERT_NE(store_, nullptr);
  }

  void Put(std::string_view key, std::string_view value) {
    ASSERT_TRUE(
        store_
            ->Transact([&](KvTransaction& txn) { return txn.Put(key, value); })
            .ok());
  }

  std::optional<std::string> Get(std::string_view key) {
    auto value = store_->Get(key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? *value : std::nullopt;
  }

  static Rows ScanAll(KvReader& reader, const KeyRange& range) {
    Rows rows;
    const absl::Status status =
        reader.Scan(range, [&](std::string_view key, std::string_view value) {
          rows.emplace_back(key, value);
          return true;
        });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  }

  std::unique_ptr<KvStore> store_;
};

TEST_P(KvConformanceTest, MissingKeyIsNullopt) {
  EXPECT_EQ(Get("nothing"), std::nullopt);
}

TEST_P(KvConformanceTest, CommittedWriteIsRead) {
  Put("a", "1");
  EXPECT_EQ(Get("a"), "1");
}

TEST_P(KvConformanceTest, BytesOfEveryValueAreKept) {
  const std::string key("k\0\xff\x01", 4);
  const std::string value("\0v\xff\n", 4);

  Put(key, value);
  Put("empty", "");

  EXPECT_EQ(Get(key), value);
  EXPECT_EQ(Get("empty"), "");
}

TEST_P(KvConformanceTest, ErrorFromTheBodyRollsBackAndIsReturned) {
  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        EXPECT_TRUE(txn.Put("a", "1").ok());
        return absl::FailedPreconditionError("no");
      });

  EXPECT_EQ(status, absl::FailedPreconditionError("no"));
  EXPECT_EQ(Get("a"), std::nullopt);
}

TEST_P(KvConformanceTest, TransactionReadsItsOwnWrites) {
  Put("a", "old");
  Put("b", "old");

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        EXPECT_TRUE(txn.Put("a", "new").ok());
        EXPECT_TRUE(txn.Delete("b").ok());
        EXPECT_TRUE(txn.Put("c", "new").ok());
        EXPECT_EQ(*txn.Get("a"), "new");
        EXPECT_EQ(*txn.GetForUpdate("b"), std::nullopt);
        EXPECT_EQ(ScanAll(txn, KeyRange{}), (Rows{{"a", "new"}, {"c", "new"}}));
        return absl::OkStatus();
      });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Get("b"), std::nullopt);
}

TEST_P(KvConformanceTest, ScanIsOrderedByBytesAndHalfOpen) {
  for (const char* key : {"b", "a", "c", "\xff", "ab"}) Put(key, "v");
  auto snapshot = store_->Snapshot();

  EXPECT_EQ(ScanAll(*snapshot, KeyRange{"a", "c"}),
            (Rows{{"a", "v"}, {"ab", "v"}, {"b", "v"}}));
  EXPECT_EQ(ScanAll(*snapshot, KeyRange{"b", ""}),
            (Rows{{"b", "v"}, {"c", "v"}, {"\xff", "v"}}));
  EXPECT_EQ(ScanAll(*snapshot, KeyRange{"c", "a"}), Rows{});
}

TEST_P(KvConformanceTest, PrefixRangeHoldsExactlyThePrefix) {
  for (const char* key : {"a", "a\xff", "a\xff\xff", "b", "\xff", "\xff\xff"}) {
    Put(key, "v");
  }
  auto snapshot = store_->Snapshot();

  EXPECT_EQ(ScanAll(*snapshot, KeyRange::Prefix("a\xff")),
            (Rows{{"a\xff", "v"}, {"a\xff\xff", "v"}}));
  EXPECT_EQ(ScanAll(*snapshot, KeyRange::Prefix("\xff")),
            (Rows{{"\xff", "v"}, {"\xff\xff", "v"}}));
  EXPECT_EQ(ScanAll(*snapshot, KeyRange::Prefix("")).size(), 6u);
}

TEST_P(KvConformanceTest, ScanStopsWhenTheVisitorSaysSo) {
  for (const char* key : {"a", "b", "c"}) Put(key, "v");
  int seen = 0;

  ASSERT_TRUE(
      store_->Snapshot()
          ->Scan(KeyRange{},
                 [&](std::string_view, std::string_view) { return ++seen < 2; })
          .ok());

  EXPECT_EQ(seen, 2);
}

TEST_P(KvConformanceTest, VisitorMayDeleteWhatItSees) {
  for (const char* key : {"a", "b", "c"}) Put(key, "v");

  const absl::Status status = store_->Transact([&](KvTransaction& txn) {
    return txn.Scan(KeyRange{}, [&](std::string_view key, std::string_view) {
      EXPECT_TRUE(txn.Delete(std::string(key)).ok());
      return true;
    });
  });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(ScanAll(*store_->Snapshot(), KeyRange{}), Rows{});
}

TEST_P(KvConformanceTest, SnapshotDoesNotMove) {
  Put("a", "old");
  auto snapshot = store_->Snapshot();

  Put("a", "new");
  Put("b", "new");

  EXPECT_EQ(ScanAll(*snapshot, KeyRange{}), (Rows{{"a", "old"}}));
  EXPECT_EQ(*snapshot->Get("a"), "old");
  EXPECT_EQ(Get("a"), "new");
}

TEST_P(KvConformanceTest, TransactionReadsOneMoment) {
  Put("a", "old");
  int runs = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        if (++runs > 1) return absl::OkStatus();
        EXPECT_EQ(*txn.Get("a"), "old");
        Put("a", "new");
        EXPECT_EQ(*txn.Get("a"), "old");
        return absl::OkStatus();
      });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(runs, 1) << "a plain read is no conflict";
}

TEST_P(KvConformanceTest, WriteOfAKeyWrittenMeanwhileRunsAgain) {
  Put("n", "1");
  int runs = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        ++runs;
        const auto seen = txn.Get("n");
        if (runs == 1) Put("n", "10");
        return txn.Put("n", std::to_string(std::stoi(**seen) + 1));
      });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Get("n"), "11");
}

TEST_P(KvConformanceTest, ReadForUpdateOfAKeyWrittenMeanwhileRunsAgain) {
  Put("parent", "here");
  int runs = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        ++runs;
        const auto seen = txn.GetForUpdate("parent");
        if (runs == 1) Put("parent", "changed");
        return txn.Put("child", **seen);
      });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Get("child"), "changed");
}

TEST_P(KvConformanceTest, ReadForUpdateOfAMissingKeyCreatedMeanwhileRunsAgain) {
  int runs = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        ++runs;
        const auto seen = txn.GetForUpdate("name");
        if (runs == 1) Put("name", "taken");
        if (*seen) return absl::AlreadyExistsError("taken");
        return txn.Put("name", "mine");
      });

  EXPECT_EQ(status, absl::AlreadyExistsError("taken"));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Get("name"), "taken");
}

TEST_P(KvConformanceTest, TwoReadersForUpdateDoNotDisturbEachOther) {
  Put("parent", "here");
  int runs = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        ++runs;
        EXPECT_TRUE(txn.GetForUpdate("parent").ok());
        EXPECT_TRUE(store_
                        ->Transact([&](KvTransaction& other) -> absl::Status {
                          EXPECT_TRUE(other.GetForUpdate("parent").ok());
                          return other.Put("child2", "v");
                        })
                        .ok());
        return txn.Put("child1", "v");
      });

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(runs, 1);
}

TEST_P(KvConformanceTest, EndlessConflictIsAborted) {
  int n = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        Put("n", std::to_string(++n));
        return txn.Put("n", "mine");
      });

  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Get("n"), std::to_string(n));
}

// The orphan rule. One writer adds a child, another deletes the parent if it
// has none; each has read before the other commits. Whichever commits first,
// no child may be left without a parent.
TEST_P(KvConformanceTest, ChildInsertedBeforeTheParentsDeletionCommits) {
  Put("parent/p", "here");
  int runs = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        ++runs;
        const bool empty = ScanAll(txn, KeyRange::Prefix("child/p/")).empty();
        if (runs == 1) {
          EXPECT_TRUE(store_
                          ->Transact([&](KvTransaction& other) -> absl::Status {
                            const auto parent = other.GetForUpdate("parent/p");
                            EXPECT_TRUE(parent->has_value());
                            return other.Put("child/p/c", "v");
                          })
                          .ok());
        }
        if (!empty) return absl::FailedPreconditionError("not empty");
        return txn.Delete("parent/p");
      });

  // The child's writer only read the parent: engines that compare written keys
  // alone see no conflict here.
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(status, absl::FailedPreconditionError("not empty"));
  EXPECT_EQ(Get("parent/p"), "here");
  EXPECT_EQ(Get("child/p/c"), "v");
}

TEST_P(KvConformanceTest, ParentDeletedBeforeTheChildsInsertionCommits) {
  Put("parent/p", "here");
  int runs = 0;

  const absl::Status status =
      store_->Transact([&](KvTransaction& txn) -> absl::Status {
        ++runs;
        const auto parent = txn.GetForUpdate("parent/p");
        if (!*parent) return absl::NotFoundError("no parent");
        if (runs == 1) {
          EXPECT_TRUE(
              store_
                  ->Transact([&](KvTransaction& other) -> absl::Status {
                    if (!ScanAll(other, KeyRange::Prefix("child/p/")).empty()) {
                      return absl::FailedPreconditionError("not empty");
                    }
                    return other.Delete("parent/p");
                  })
                  .ok());
        }
        return txn.Put("child/p/c", "v");
      });

  EXPECT_EQ(status, absl::NotFoundError("no parent"));
  EXPECT_EQ(Get("parent/p"), std::nullopt);
  EXPECT_EQ(Get("child/p/c"), std::nullopt);
}

TEST_P(KvConformanceTest, NoOrphansUnderManyInterleavings) {
  constexpr int kRounds = 100;
  std::atomic<int> orphans = 0;

  for (int round = 0; round < kRounds; ++round) {
    const std::string parent = "parent/" + std::to_string(round);
    const std::string children = "child/" + std::to_string(round) + "/";
    Put(parent, "here");
    std::thread inserter([&] {
      (void)store_->Transact([&](KvTransaction& txn) -> absl::Status {
        const auto row = txn.GetForUpdate(parent);
        if (!*row) return absl::NotFoundError("no parent");
        return txn.Put(children + "c", "v");
      });
    });
    std::thread deleter([&] {
      (void)store_->Transact([&](KvTransaction& txn) -> absl::Status {
        if (!ScanAll(txn, KeyRange::Prefix(children)).empty()) {
          return absl::FailedPreconditionError("not empty");
        }
        return txn.Delete(parent);
      });
    });
    inserter.join();
    deleter.join();
    if (!Get(parent) && Get(children + "c")) ++orphans;
  }

  EXPECT_EQ(orphans, 0);
}

TEST_P(KvConformanceTest, ConcurrentIncrementsAllCount) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  Put("n", "0");
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;

  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        const absl::Status status =
            store_->Transact([&](KvTransaction& txn) -> absl::Status {
              const auto n = txn.GetForUpdate("n");
              return txn.Put("n", std::to_string(std::stoi(**n) + 1));
            });
        if (!status.ok()) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Get("n"), std::to_string(kThreads * kEach));
}

// Random operations against a std::map, the simplest store there is.
TEST_P(KvConformanceTest, AgreesWithAnOrderedMap) {
  constexpr uint32_t kSeed = 20240601;
  std::mt19937 random(kSeed);
  std::map<std::string, std::string> model;
  const auto any_key = [&] {
    return Key("t").AddInt(random() % 40).str().substr(0, 4 + random() % 9);
  };

  for (int step = 0; step < 300; ++step) {
    std::map<std::string, std::string> next = model;
    const bool fails = random() % 4 == 0;
    const absl::Status status =
        store_->Transact([&](KvTransaction& txn) -> absl::Status {
          for (int i = random() % 5; i >= 0; --i) {
            const std::string key = any_key();
            if (random() % 3 == 0) {
              next.erase(key);
              EXPECT_TRUE(txn.Delete(key).ok());
            } else {
              next[key] = std::to_string(step);
              EXPECT_TRUE(txn.Put(key, next[key]).ok());
            }
          }
          EXPECT_EQ(ScanAll(txn, KeyRange{}), Rows(next.begin(), next.end()));
          return fails ? absl::CancelledError("rolled back") : absl::OkStatus();
        });
    EXPECT_EQ(status.ok(), !fails);
    if (!fails) model = next;
    KeyRange range{any_key(), any_key()};
    if (range.end < range.begin) std::swap(range.begin, range.end);
    const auto begin = model.lower_bound(range.begin);
    const auto end =
        range.end.empty() ? model.end() : model.lower_bound(range.end);
    ASSERT_EQ(ScanAll(*store_->Snapshot(), range), Rows(begin, end))
        << "seed " << kSeed << " step " << step;
  }
}

}  // namespace brume::store
