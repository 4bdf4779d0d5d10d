#include "runtime/wake_signal.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace brume::runtime {
namespace asio = boost::asio;

// What wakers share. `signal` is read on the lane only.
struct WakeSignal::Gate {
  absl::Mutex mutex;
  // Null once the signal has gone: then nothing is posted to the lane.
  std::shared_ptr<asio::io_context> io ABSL_GUARDED_BY(mutex);
  WakeSignal* signal = nullptr;
};

WakeSignal::WakeSignal(const Lane& lane)
    : gate_(std::make_shared<Gate>()), timer_(*lane.io) {
  absl::MutexLock lock(&gate_->mutex);
  gate_->io = lane.io;
  gate_->signal = this;
}

WakeSignal::~WakeSignal() {
  absl::MutexLock lock(&gate_->mutex);
  gate_->io = nullptr;
  gate_->signal = nullptr;
}

std::function<void()> WakeSignal::waker() const {
  return [gate = gate_] {
    absl::MutexLock lock(&gate->mutex);
    if (gate->io == nullptr) return;
    asio::post(*gate->io, [gate] {
      if (gate->signal != nullptr) gate->signal->Wake();
    });
  };
}

void WakeSignal::Wake() {
  woken_ = true;
  timer_.cancel();
}

asio::awaitable<bool> WakeSignal::Wait(absl::Time deadline) {
  if (!woken_) {
    const absl::Duration left = std::clamp(
        deadline - absl::Now(), absl::ZeroDuration(), absl::Hours(24 * 365));
    timer_.expires_after(
        std::chrono::milliseconds(absl::ToInt64Milliseconds(left)));
    boost::system::error_code ignored;
    co_await timer_.async_wait(
        asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::exchange(woken_, false);
}

}  // namespace brume::runtime
