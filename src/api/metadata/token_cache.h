#pragma once

#include "base/clock.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace brume::api::metadata {

struct Token {
  std::string token;
  absl::Time expires_at;
};

// Gives the same token to all who ask until it nears its end, as the metadata
// server does. Bounded. Thread-safe.
class TokenCache {
 public:
  explicit TokenCache(const base::Clock* clock) : clock_(clock) {}

  // The token of `key`, which `mint` makes when there is none that lives five
  // minutes more.
  absl::StatusOr<Token> Get(std::string_view key,
                            const std::function<absl::StatusOr<Token>()>& mint);

 private:
  const base::Clock* const clock_;
  absl::Mutex mutex_;
  std::map<std::string, Token, std::less<>> tokens_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::api::metadata
