#include "runtime/deadlines.h"

#include <algorithm>
#include <utility>

namespace brume::runtime {

Deadlines::Entry::Entry(Deadlines& deadlines, std::function<void()> expired)
    : deadlines_(deadlines), expired_(std::move(expired)) {
  deadlines_.entries_.push_front(this);
  self_ = deadlines_.entries_.begin();
}

Deadlines::Entry::~Entry() { deadlines_.entries_.erase(self_); }

Deadlines::Deadlines(boost::asio::io_context& io) : timer_(io) {}

void Deadlines::Start() {
  armed_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    armed_ = false;
    Sweep();
    // Nothing set, no ticks: an idle process sleeps.
    const bool any =
        std::any_of(entries_.begin(), entries_.end(), [](const Entry* entry) {
          return entry->when_ != Clock::time_point::max();
        });
    if (any) Arm();
  });
}

void Deadlines::Sweep() {
  const Clock::time_point now = Clock::now();
  // Callbacks may remove entries, so each round starts over; few expire.
  for (;;) {
    const auto due =
        std::find_if(entries_.begin(), entries_.end(),
                     [now](const Entry* entry) { return entry->when_ <= now; });
    if (due == entries_.end()) return;
    (*due)->Clear();
    // A copy: the entry may go while its callback runs.
    const std::function<void()> expired = (*due)->expired_;
    expired();
  }
}

}  // namespace brume::runtime
