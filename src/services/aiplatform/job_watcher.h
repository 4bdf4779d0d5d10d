#pragma once

#include "base/clock.h"
#include "exec/executor.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <brume/aiplatform/job_record.pb.h>
#include <google/logging/v2/log_entry.pb.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace brume::services::aiplatform {

// Moves custom jobs on: starts what has no task, carries output to the log and
// states to the rows. What it does it may do again after a crash: entries have
// fixed ids, and a job's row is the only state.
class JobWatcher {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    exec::Executor* executor = nullptr;
    // Makes entries of the job's project durable.
    std::function<absl::Status(
        const JobRecord& record,
        const std::vector<google::logging::v2::LogEntry>& entries)>
        write_log;
  };
  explicit JobWatcher(Options options) : options_(std::move(options)) {}
  ~JobWatcher();
  JobWatcher(const JobWatcher&) = delete;
  JobWatcher& operator=(const JobWatcher&) = delete;

  // One look at every job that has not ended.
  absl::Status Step();

  // Looks whenever the executor says that something changed, on a thread of its
  // own, until destruction.
  void StartThread();

 private:
  absl::Status Move(std::string_view id);
  absl::Status CarryOutput(JobRecord* record);

  const Options options_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace brume::services::aiplatform
