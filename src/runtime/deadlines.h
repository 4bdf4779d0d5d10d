#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <list>

namespace brume::runtime {

// Many deadlines at the price of one timer: connections move theirs at every
// read and write, which must cost nothing. Checked every `kTick`, so a deadline
// fires up to that much late. Lives on one lane; not thread-safe.
class Deadlines {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kTick{100};

  // A deadline that may be moved; unset at first. `expired` is called on the
  // lane, once for each time it is set; it may destroy the entry.
  class Entry {
   public:
    Entry(Deadlines& deadlines, std::function<void()> expired);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    void Set(Clock::time_point when) {
      when_ = when;
      deadlines_.Arm();
    }
    void Clear() { when_ = Clock::time_point::max(); }

   private:
    friend class Deadlines;
    Deadlines& deadlines_;
    std::function<void()> expired_;
    Clock::time_point when_ = Clock::time_point::max();
    std::list<Entry*>::iterator self_;
  };

  explicit Deadlines(boost::asio::io_context& io);

 private:
  void Arm() {
    if (!armed_) Start();
  }
  void Start();
  void Sweep();

  boost::asio::steady_timer timer_;
  bool armed_ = false;
  std::list<Entry*> entries_;
};

}  // namespace brume::runtime
