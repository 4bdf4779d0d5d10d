#include "runtime/deadlines.h"

#include <gtest/gtest.h>

#include <memory>

namespace brume::runtime {
namespace {

using std::chrono::milliseconds;

TEST(DeadlinesTest, ExpiredEntriesAreCalledOnceEach) {
  boost::asio::io_context io;
  Deadlines deadlines(io);
  int early = 0;
  int never = 0;
  Deadlines::Entry far(deadlines, [&] { ++never; });
  far.Set(Deadlines::Clock::now() + std::chrono::hours(1));
  Deadlines::Entry near(deadlines, [&] { ++early; });
  near.Set(Deadlines::Clock::now() + milliseconds(1));

  io.run_for(Deadlines::kTick * 4);

  EXPECT_EQ(early, 1);
  EXPECT_EQ(never, 0);
}

TEST(DeadlinesTest, ACallbackMayRemoveItsOwnEntry) {
  boost::asio::io_context io;
  Deadlines deadlines(io);
  std::unique_ptr<Deadlines::Entry> entry;
  entry = std::make_unique<Deadlines::Entry>(deadlines, [&] { entry.reset(); });
  entry->Set(Deadlines::Clock::now());

  io.run_for(Deadlines::kTick * 4);

  EXPECT_EQ(entry, nullptr);
}

TEST(DeadlinesTest, WithoutSetEntriesThereAreNoTicks) {
  boost::asio::io_context io;
  Deadlines deadlines(io);
  Deadlines::Entry entry(deadlines, [] {});
  entry.Set(Deadlines::Clock::now() + std::chrono::hours(1));
  entry.Clear();

  // One tick was armed; it finds nothing set and arms no other: run returns.
  io.run_for(std::chrono::seconds(5));

  EXPECT_TRUE(io.stopped());
}

}  // namespace
}  // namespace brume::runtime
