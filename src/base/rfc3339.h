#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

namespace brume::base {

// RFC 3339 in UTC with "Z". Google's services differ in their fractions:
// storage and most others print milliseconds or microseconds, IAM's token
// times must have none.
enum class Fraction { kNone, kMillis, kMicros, kNanos };

std::string FormatTime(absl::Time time, Fraction fraction);
// Reads any RFC 3339 time, offsets included.
std::optional<absl::Time> ParseTime(std::string_view text);

}  // namespace brume::base
