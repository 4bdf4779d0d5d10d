#pragma once

#include "services/signing/jwt.h"

#include <absl/time/time.h>

namespace brume::services::oauth {

enum class JwtTimes { kGood, kExpired, kUnreasonable };

// A JWT that a service account signs must name its times, live for an hour at
// most and be of now; clients' clocks may be off by five minutes.
JwtTimes CheckTimes(const signing::JwtClaims& claims, absl::Time now);

}  // namespace brume::services::oauth
