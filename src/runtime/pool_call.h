#pragma once

#include "runtime/io_threads.h"
#include "runtime/worker_pool.h"

#include <absl/functional/any_invocable.h>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace brume::runtime {

// Blocking work on the pool, awaited by a coroutine. The work starts at once;
// Result may be awaited later, once, so that other I/O overlaps it. The pool
// must outlive the work: whoever starts a call awaits its result before
// leaving. `work` does not throw.
template <typename T>
class PoolCall {
 public:
  PoolCall() = default;
  // On the lane's thread.
  PoolCall(WorkerPool& pool, const Lane& lane, absl::AnyInvocable<T()> work)
      : state_(std::make_shared<State>()) {
    // Shared by the coroutine and the worker.
    pool.Submit(
        [state = state_, io = lane.io, work = std::move(work)]() mutable {
          state->value.emplace(work());
          // What the work holds goes before the coroutine goes on.
          work = nullptr;
          boost::asio::post(*io, [state = std::move(state)] {
            state->ready = true;
            if (state->resume) std::exchange(state->resume, nullptr)();
          });
        });
  }

  bool pending() const { return state_ != nullptr; }

  // On the lane's thread.
  boost::asio::awaitable<T> Result() {
    const std::shared_ptr<State> state = std::move(state_);
    state_ = nullptr;
    if (!state->ready) {
      auto start = [state](auto handler) {
        state->resume = std::move(handler);
      };
      const boost::asio::use_awaitable_t<> token;
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                           void()>(std::move(start), token);
    }
    co_return std::move(*state->value);
  }

 private:
  struct State {
    std::optional<T> value;
    bool ready = false;  // the lane's
    absl::AnyInvocable<void()> resume;
  };
  std::shared_ptr<State> state_;
};

}  // namespace brume::runtime
