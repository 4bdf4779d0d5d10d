#pragma once

#include "runtime/deadlines.h"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace brume::runtime {

// One thread with its own io_context. What lives on a lane (a connection, its
// coroutines, its timers) is touched by that thread alone and needs no lock.
struct Lane {
  Lane();
  ~Lane();
  // Shared with whoever posts from other threads: a post may still be
  // returning there when what it started has ended here.
  std::shared_ptr<boost::asio::io_context> io;
  std::unique_ptr<Deadlines> deadlines;
};

// The threads that wait for the network. Nothing on them may block: blocking
// work goes to the WorkerPool. Lanes are chosen round robin and stay fixed.
//
// Lifecycle: everything spawned on a lane is awaited (TaskGroup) before the
// destructor, which stops the lanes and joins. Thread-safe.
class IoThreads {
 public:
  explicit IoThreads(size_t threads);
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  Lane& Next() { return *lanes_[next_.fetch_add(1) % lanes_.size()]; }
  Lane& at(size_t index) { return *lanes_[index]; }
  size_t size() const { return lanes_.size(); }

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::thread> threads_;
  std::atomic<size_t> next_{0};
};

}  // namespace brume::runtime
