#pragma once

#include "runtime/io_threads.h"

#include <absl/time/time.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>

namespace brume::runtime {

// Lets a coroutine wait, without a thread, until someone on any thread wakes it
// or a deadline has come. Lives on one lane; only the function that waker()
// gives may be called elsewhere, at any time, also after the signal has gone.
class WakeSignal {
 public:
  explicit WakeSignal(const Lane& lane);
  ~WakeSignal();
  WakeSignal(const WakeSignal&) = delete;
  WakeSignal& operator=(const WakeSignal&) = delete;

  // Wakes the present or the next Wait.
  std::function<void()> waker() const;
  // As waker(), on the lane.
  void Wake();
  // True when woken, false at the deadline.
  boost::asio::awaitable<bool> Wait(absl::Time deadline);

 private:
  struct Gate;
  std::shared_ptr<Gate> gate_;
  boost::asio::steady_timer timer_;
  bool woken_ = false;
};

}  // namespace brume::runtime
