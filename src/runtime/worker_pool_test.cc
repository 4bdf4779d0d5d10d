#include "runtime/worker_pool.h"

#include <absl/synchronization/blocking_counter.h>
#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include <atomic>

namespace brume::runtime {
namespace {

TEST(WorkerPoolTest, RunsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.Submit([&ran] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(WorkerPoolTest, ThreadsWorkAtTheSameTime) {
  WorkerPool pool(2);
  absl::Notification first;
  absl::BlockingCounter both(2);

  // The first task ends only when the second has begun.
  pool.Submit([&] {
    first.WaitForNotification();
    both.DecrementCount();
  });
  pool.Submit([&] {
    first.Notify();
    both.DecrementCount();
  });

  both.Wait();
}

TEST(WorkerPoolTest, PendingCountsTasksNotBegun) {
  WorkerPool pool(1);
  absl::Notification begun;
  absl::Notification release;
  pool.Submit([&] {
    begun.Notify();
    release.WaitForNotification();
  });
  begun.WaitForNotification();
  pool.Submit([] {});

  EXPECT_EQ(pool.pending(), 1u);

  release.Notify();
}

}  // namespace
}  // namespace brume::runtime
