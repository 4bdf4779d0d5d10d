#include "services/oauth/jwt_times.h"

#include <cstdint>

namespace brume::services::oauth {
namespace {

constexpr int64_t kSkewSeconds = 300;
constexpr int64_t kMaxLifetimeSeconds = 3600;
// Year 5138; beyond it arithmetic could overflow.
constexpr int64_t kLatest = 100'000'000'000;

bool Plausible(std::optional<int64_t> seconds) {
  return seconds && *seconds >= 0 && *seconds <= kLatest;
}

}  // namespace

JwtTimes CheckTimes(const signing::JwtClaims& claims, absl::Time now) {
  const int64_t seconds = absl::ToUnixSeconds(now);
  if (!Plausible(claims.issued_at) || !Plausible(claims.expires_at)) {
    return JwtTimes::kUnreasonable;
  }
  const int64_t lifetime = *claims.expires_at - *claims.issued_at;
  if (*claims.issued_at > seconds + kSkewSeconds || lifetime < 0 ||
      lifetime > kMaxLifetimeSeconds) {
    return JwtTimes::kUnreasonable;
  }
  if (*claims.expires_at < seconds - kSkewSeconds) return JwtTimes::kExpired;
  return JwtTimes::kGood;
}

}  // namespace brume::services::oauth
