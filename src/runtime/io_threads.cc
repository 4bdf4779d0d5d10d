#include "runtime/io_threads.h"

#include <boost/asio/executor_work_guard.hpp>
#include <pthread.h>
#include <signal.h>

namespace brume::runtime {
namespace asio = boost::asio;

// One thread runs each context, which spares Asio most of its locking.
Lane::Lane()
    : io(std::make_shared<asio::io_context>(1)),
      deadlines(std::make_unique<Deadlines>(*io)) {}

Lane::~Lane() = default;

IoThreads::IoThreads(size_t threads) {
  // Signals are the application's business, never an io thread's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (size_t i = 0; i < threads; ++i) {
    lanes_.push_back(std::make_unique<Lane>());
    asio::io_context* io = lanes_.back()->io.get();
    threads_.emplace_back([io] {
      const auto work = asio::make_work_guard(*io);
      io->run();
    });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

IoThreads::~IoThreads() {
  for (const auto& lane : lanes_) lane->io->stop();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace brume::runtime
