#include "runtime/pool_call.h"

#include "runtime/io_threads.h"
#include "runtime/task_group.h"

#include <absl/time/clock.h>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace brume::runtime {
namespace {

namespace asio = boost::asio;

struct Seen {
  int sum = 0;
  std::thread::id worker;
  std::thread::id lane;
};

asio::awaitable<void> CallTwice(WorkerPool* pool, Lane* lane, Seen* seen) {
  PoolCall<std::unique_ptr<int>> first(*pool, *lane, [seen] {
    seen->worker = std::this_thread::get_id();
    return std::make_unique<int>(3);
  });
  PoolCall<int> second(*pool, *lane, [] { return 4; });
  const int b = co_await second.Result();
  const std::unique_ptr<int> a = co_await first.Result();
  seen->lane = std::this_thread::get_id();
  seen->sum = *a + b;
}

TEST(PoolCallTest, WorkRunsOnThePoolAndResumesOnTheLane) {
  IoThreads threads(1);
  WorkerPool pool(2);
  TaskGroup group("test", 100);
  Seen seen;

  group.Spawn(threads.at(0).io->get_executor(),
              CallTwice(&pool, &threads.at(0), &seen));

  ASSERT_TRUE(group.WaitIdle(absl::Now() + absl::Seconds(10)));
  EXPECT_EQ(seen.sum, 7);
  EXPECT_NE(seen.worker, seen.lane);
  EXPECT_NE(seen.worker, std::this_thread::get_id());
}

TEST(PoolCallTest, ManyCallsFromManyLanes) {
  IoThreads threads(3);
  WorkerPool pool(3);
  TaskGroup group("test", 1000);
  std::vector<Seen> seen(300);

  for (Seen& one : seen) {
    Lane& lane = threads.Next();
    group.Spawn(lane.io->get_executor(), CallTwice(&pool, &lane, &one));
  }

  ASSERT_TRUE(group.WaitIdle(absl::Now() + absl::Seconds(30)));
  for (const Seen& one : seen) EXPECT_EQ(one.sum, 7);
}

}  // namespace
}  // namespace brume::runtime
