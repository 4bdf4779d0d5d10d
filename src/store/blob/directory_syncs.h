#pragma once

#include "store/fs/file_system.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace brume::store {

// Syncs of directories, shared: callers that come while one runs wait for the
// next, and one of them does it for all. Thread-safe.
class DirectorySyncs {
 public:
  explicit DirectorySyncs(FileSystem* files) : files_(files) {}

  // Returns when a sync that began after this call has ended.
  absl::Status Sync(const std::string& path, std::string_view label);

 private:
  struct State {
    bool running = false;
    uint64_t begun = 0;
    uint64_t ended = 0;
    // A failed sync is never made good by a later one: the kernel reports an
    // error once.
    uint64_t failed = 0;
    absl::Status failure;
  };

  FileSystem* const files_;
  absl::Mutex mutex_;
  absl::CondVar ended_;
  std::map<std::string, State> states_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::store
