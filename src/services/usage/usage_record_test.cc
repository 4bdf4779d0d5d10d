#include "services/usage/usage_record.h"

#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace brume::services::usage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Time kEpoch = absl::UnixEpoch();

Decision Read(std::string run, std::string object) {
  return {std::move(run),         "user:a@b.c",          "storage.objects.get",
          "projects/_/" + object, "storage.objects.get", "unevaluated"};
}

// A store whose next transactions fail.
class FailingKv final : public store::KvStore {
 public:
  absl::Status Transact(
      absl::FunctionRef<absl::Status(store::KvTransaction&)> body) override {
    if (fail) return absl::ResourceExhaustedError("disk full");
    return below_.Transact(body);
  }
  std::unique_ptr<store::KvReader> Snapshot() override {
    return below_.Snapshot();
  }
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) override {
    return below_.Get(key);
  }
  bool fail = false;

 private:
  store::MemoryKvStore below_;
};

TEST(UsageRecordTest, CountsWithFirstAndLastTimeAcrossFlushes) {
  store::MemoryKvStore kv;
  UsageRecord record(&kv);
  record.Add(Read("r", "a"), kEpoch + absl::Seconds(5));
  record.Add(Read("r", "a"), kEpoch + absl::Seconds(9));
  ASSERT_TRUE(record.Flush().ok());
  EXPECT_EQ(record.pending(), 0u);
  record.Add(Read("r", "a"), kEpoch + absl::Seconds(7));
  record.Add(Read("s", "b"), kEpoch + absl::Milliseconds(1500));
  // Stored and waiting counts are seen as one.
  const auto before = record.List("");
  ASSERT_TRUE(before.ok());
  ASSERT_THAT(*before, SizeIs(2));
  ASSERT_TRUE(record.Flush().ok());
  const auto after = UsageRecord(&kv).List("r");
  ASSERT_TRUE(after.ok());
  ASSERT_THAT(*after, SizeIs(1));
  EXPECT_EQ(after->front().decision, Read("r", "a"));
  EXPECT_EQ(after->front().count, 3);
  EXPECT_EQ(after->front().count, before->front().count);
  EXPECT_EQ(after->front().first, kEpoch + absl::Seconds(5));
  EXPECT_EQ(after->front().last, kEpoch + absl::Seconds(9));
  EXPECT_EQ(UsageRecord(&kv).List("s")->front().first,
            kEpoch + absl::Milliseconds(1500));
}

TEST(UsageRecordTest, ARunIsNotItsNamesPrefix) {
  store::MemoryKvStore kv;
  UsageRecord record(&kv);
  record.Add(Read("train-1", "a"), kEpoch);
  record.Add(Read("train-12", "a"), kEpoch);
  ASSERT_TRUE(record.Flush().ok());
  EXPECT_THAT(*record.List("train-1"), SizeIs(1));
}

TEST(UsageRecordTest, AFailedFlushLosesNothing) {
  FailingKv kv;
  UsageRecord record(&kv);
  record.Add(Read("r", "a"), kEpoch);
  kv.fail = true;
  EXPECT_TRUE(absl::IsResourceExhausted(record.Flush()));
  record.Add(Read("r", "a"), kEpoch);
  kv.fail = false;
  ASSERT_TRUE(record.Flush().ok());
  EXPECT_EQ(UsageRecord(&kv).List("r")->front().count, 2);
}

TEST(UsageRecordTest, ManyThreadsCountEveryCall) {
  store::MemoryKvStore kv;
  UsageRecord record(&kv);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&record, t] {
      for (int i = 0; i < 500; ++i) {
        record.Add(Read("r", std::to_string(i % 7)), kEpoch);
        if (t == 0 && i % 50 == 0) record.Flush().IgnoreError();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(record.Flush().ok());
  int64_t total = 0;
  const auto all = record.List("");
  ASSERT_TRUE(all.ok());
  for (const Usage& usage : *all) total += usage.count;
  EXPECT_EQ(total, 2000);
}

}  // namespace
}  // namespace brume::services::usage
