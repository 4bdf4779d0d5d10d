#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brume::cli {

// One line on a terminal's stderr that says how far a transfer is, at most ten
// times a second; nothing where there is no terminal. Thread-safe.
class ProgressLine {
 public:
  ProgressLine(std::string_view verb, size_t items, uint64_t bytes);

  void Add(int64_t bytes);
  void Done();  // one item
  // Takes the line away and prints what was done.
  void Finish();

 private:
  void Draw() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Text(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string verb_;
  const size_t items_;
  const uint64_t bytes_;
  const bool visible_;
  const absl::Time begun_;
  absl::Mutex mutex_;
  size_t done_items_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t done_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time drawn_ ABSL_GUARDED_BY(mutex_);
};

// "3.4 MiB".
std::string HumanBytes(uint64_t bytes);

}  // namespace brume::cli
