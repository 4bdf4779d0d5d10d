#include "api/metadata/token_cache.h"

#include "base/status_macros.h"

namespace brume::api::metadata {
namespace {

constexpr absl::Duration kSpare = absl::Minutes(5);
constexpr size_t kMostTokens = 256;

}  // namespace

absl::StatusOr<Token> TokenCache::Get(
    std::string_view key, const std::function<absl::StatusOr<Token>()>& mint) {
  const absl::Time now = clock_->Now();
  {
    absl::MutexLock lock(&mutex_);
    const auto found = tokens_.find(key);
    if (found != tokens_.end() && found->second.expires_at > now + kSpare) {
      return found->second;
    }
  }
  ASSIGN_OR_RETURN(Token made, mint());
  absl::MutexLock lock(&mutex_);
  if (tokens_.size() >= kMostTokens) tokens_.clear();
  tokens_.insert_or_assign(std::string(key), made);
  return made;
}

}  // namespace brume::api::metadata
