#pragma once

#include "base/unique_fd.h"
#include "exec/executor.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// A task's output on disk: a record for each line,
//   <microseconds since 1970> <o|e> <text>\n
namespace brume::exec {

// A longer line is kept in pieces of this size.
inline constexpr size_t kMaxLine = 64 * 1024;

// Cuts what comes from one pipe into lines. Not thread-safe.
class LineCutter {
 public:
  // Lines that `bytes` ends; what follows waits for its newline.
  std::vector<std::string> Add(std::string_view bytes);
  // What waited without a newline; empty when nothing did.
  std::string Rest();

 private:
  std::string waiting_;
};

// Appends records; batches its syncs. When the disk is full lines are lost, and
// a record says how many once there is room: the task goes on. Not thread-safe.
class LogWriter {
 public:
  // `fd` is open for appending.
  explicit LogWriter(base::UniqueFd fd) : fd_(std::move(fd)) {}

  void Append(absl::Time time, bool is_stderr,
              const std::vector<std::string>& lines);
  // Syncs what was appended since the last time, if anything.
  absl::Status Sync();
  bool needs_sync() const { return needs_sync_; }

 private:
  bool Write(std::string_view records);

  base::UniqueFd fd_;
  bool needs_sync_ = false;
  uint64_t lost_lines_ = 0;
};

// Complete records from `*position` on, about `limit` bytes of them; moves
// `*position` past them.
absl::StatusOr<std::vector<OutputLine>> ReadLog(int fd, uint64_t* position,
                                                size_t limit);

}  // namespace brume::exec
