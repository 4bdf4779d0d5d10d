#include "runtime/task_group.h"

#include "base/log.h"

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace brume::runtime {

TaskGroup::TaskGroup(std::string name, size_t limit)
    : name_(std::move(name)), limit_(limit) {}

TaskGroup::~TaskGroup() {
  Close();
  WaitIdle(absl::InfiniteFuture());
}

bool TaskGroup::Spawn(boost::asio::any_io_executor executor,
                      boost::asio::awaitable<void> task) {
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ || running_ >= limit_) return false;
    ++running_;
  }
  boost::asio::co_spawn(
      executor, std::move(task),
      [this](std::exception_ptr error) { Finished(std::move(error)); });
  return true;
}

void TaskGroup::Finished(std::exception_ptr error) {
  if (error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      base::Log(base::LogLevel::kError, "runtime", "task ended by exception",
                {{"group", name_}, {"what", e.what()}});
    } catch (...) {
      base::Log(base::LogLevel::kError, "runtime", "task ended by exception",
                {{"group", name_}});
    }
  }
  absl::MutexLock lock(&mutex_);
  --running_;
}

void TaskGroup::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

bool TaskGroup::WaitIdle(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return running_ == 0;
  };
  return mutex_.AwaitWithDeadline(absl::Condition(&idle), deadline);
}

size_t TaskGroup::size() const {
  absl::MutexLock lock(&mutex_);
  return running_;
}

bool TaskGroup::full() const {
  absl::MutexLock lock(&mutex_);
  return running_ >= limit_;
}

}  // namespace brume::runtime
