#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <string>

namespace brume::runtime {

// Owns coroutines: bounds how many run, logs what escapes them, and is awaited
// before what they use goes away. No coroutine runs outside a group.
//
// Lifecycle: Close, then WaitIdle; the destructor waits for the rest.
// Thread-safe; WaitIdle and the destructor must not run on an io thread.
class TaskGroup {
 public:
  // `name` is for logs; `limit` is the most tasks at one time.
  TaskGroup(std::string name, size_t limit);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts the task on the executor. False, and the task is dropped, when the
  // group is full or closed.
  bool Spawn(boost::asio::any_io_executor executor,
             boost::asio::awaitable<void> task);
  // Refuses new tasks.
  void Close();
  // False when tasks remain at the deadline.
  bool WaitIdle(absl::Time deadline);
  size_t size() const;
  bool full() const;

 private:
  void Finished(std::exception_ptr error);

  const std::string name_;
  const size_t limit_;
  mutable absl::Mutex mutex_;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace brume::runtime
