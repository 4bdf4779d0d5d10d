#pragma once

#include "runtime/worker_pool.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace brume::runtime {

// Runs `task` on the pool and resumes the coroutine on its own executor. The
// pool must outlive the io context's run.
inline boost::asio::awaitable<void> OnPool(WorkerPool& pool,
                                           std::function<void()> task) {
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void()>(
      [&pool](auto handler, std::function<void()> work) {
        const auto executor = boost::asio::get_associated_executor(handler);
        // Handlers of awaitables are move-only, std::function is not.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto guard = boost::asio::make_work_guard(executor);
        pool.Submit([shared, guard, executor, work = std::move(work)] {
          work();
          boost::asio::post(executor, [shared] { std::move (*shared)(); });
        });
      },
      boost::asio::use_awaitable, std::move(task));
}

}  // namespace brume::runtime
