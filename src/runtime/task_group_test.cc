#include "runtime/task_group.h"

#include "runtime/io_threads.h"

#include <absl/time/clock.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace brume::runtime {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> WaitOn(asio::steady_timer* timer,
                             std::atomic<int>* ended) {
  boost::system::error_code ignored;
  co_await timer->async_wait(
      asio::redirect_error(asio::use_awaitable, ignored));
  ++*ended;
}

asio::awaitable<void> Fail() {
  throw std::runtime_error("boom");
  co_return;
}

TEST(TaskGroupTest, BoundsAndAwaitsItsTasks) {
  IoThreads threads(1);
  asio::io_context& io = *threads.at(0).io;
  asio::steady_timer timer(io, asio::steady_timer::time_point::max());
  std::atomic<int> ended = 0;
  TaskGroup group("test", 2);

  EXPECT_TRUE(group.Spawn(io.get_executor(), WaitOn(&timer, &ended)));
  EXPECT_TRUE(group.Spawn(io.get_executor(), WaitOn(&timer, &ended)));
  EXPECT_FALSE(group.Spawn(io.get_executor(), WaitOn(&timer, &ended)));
  EXPECT_TRUE(group.full());
  EXPECT_FALSE(group.WaitIdle(absl::Now() + absl::Milliseconds(20)));

  asio::post(io, [&timer] { timer.cancel(); });
  EXPECT_TRUE(group.WaitIdle(absl::Now() + absl::Seconds(10)));
  EXPECT_EQ(ended, 2);
}

TEST(TaskGroupTest, AnEscapedExceptionEndsOnlyItsTask) {
  IoThreads threads(1);
  TaskGroup group("test", 2);

  EXPECT_TRUE(group.Spawn(threads.at(0).io->get_executor(), Fail()));

  EXPECT_TRUE(group.WaitIdle(absl::Now() + absl::Seconds(10)));
}

TEST(TaskGroupTest, AClosedGroupRefusesTasks) {
  IoThreads threads(1);
  TaskGroup group("test", 2);
  group.Close();

  EXPECT_FALSE(group.Spawn(threads.at(0).io->get_executor(), Fail()));
}

}  // namespace
}  // namespace brume::runtime
