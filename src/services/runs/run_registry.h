#pragma once

#include "base/clock.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <brume/runs/run.pb.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brume::services::runs {

// The runs of `brume run` and `brume env`: whoever shows a run's name and token
// is that run. They are kept, tokens as hashes, so that a command and a shell
// outlive the server that registered them. Thread-safe.
class RunRegistry {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
  };

  // Reads what is kept.
  static absl::StatusOr<std::unique_ptr<RunRegistry>> Create(Options options);

  struct NewRun {
    // The name, of letters, digits, '.', '_' and '-', at most 63; for a lasting
    // run. A command's gets a dash and four digits behind it.
    std::string label;
    bool offline = false;
    bool lasting = false;
    int64_t pid = 0;
    std::string account;
    std::string project;
    // A lasting run that is known with this token is taken up again.
    std::string token;
  };
  struct Registered {
    std::string name;
    std::string token;  // 32 hexadecimal digits
  };
  // Durable when it returns. INVALID_ARGUMENT for a bad label.
  absl::StatusOr<Registered> Register(const NewRun& run);

  // OK when there is none.
  absl::Status Unregister(std::string_view name);

  // UNAUTHENTICATED when there is no such run or the token is not its.
  absl::StatusOr<brume::runs::Run> Authenticate(std::string_view name,
                                                std::string_view token) const;

  // By name. NOT_FOUND.
  absl::StatusOr<brume::runs::Run> Find(std::string_view name) const;
  std::vector<brume::runs::Run> List() const;

  // Forgets commands' runs whose process is gone: after a start.
  absl::Status DropEnded(const std::function<bool(int64_t pid)>& is_alive);

 private:
  explicit RunRegistry(Options options) : options_(options) {}
  absl::Status Store(const brume::runs::Run& run);

  const Options options_;
  mutable absl::Mutex mutex_;
  std::map<std::string, brume::runs::Run, std::less<>> runs_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::services::runs
