#include "runtime/wake_signal.h"

#include "runtime/task_group.h"

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace brume::runtime {
namespace {

namespace asio = boost::asio;

struct Watched {
  absl::Notification waiting;
  std::function<void()> wake;
  std::atomic<int> woken = -1;
};

asio::awaitable<void> WaitOnce(Lane* lane, absl::Time deadline,
                               Watched* watched) {
  WakeSignal signal(*lane);
  watched->wake = signal.waker();
  watched->waiting.Notify();
  const bool woken = co_await signal.Wait(deadline);
  watched->woken = woken ? 1 : 0;
}

TEST(WakeSignalTest, AnotherThreadWakesTheCoroutine) {
  IoThreads threads(1);
  TaskGroup group("test", 1);
  Watched watched;
  group.Spawn(threads.at(0).io->get_executor(),
              WaitOnce(&threads.at(0), absl::InfiniteFuture(), &watched));
  watched.waiting.WaitForNotification();
  watched.wake();
  ASSERT_TRUE(group.WaitIdle(absl::Now() + absl::Seconds(10)));
  EXPECT_EQ(watched.woken, 1);
  // The signal has gone: nothing happens.
  watched.wake();
}

TEST(WakeSignalTest, TheDeadlineEndsTheWait) {
  IoThreads threads(1);
  TaskGroup group("test", 1);
  Watched watched;
  group.Spawn(
      threads.at(0).io->get_executor(),
      WaitOnce(&threads.at(0), absl::Now() + absl::Milliseconds(5), &watched));
  ASSERT_TRUE(group.WaitIdle(absl::Now() + absl::Seconds(10)));
  EXPECT_EQ(watched.woken, 0);
}

}  // namespace
}  // namespace brume::runtime
