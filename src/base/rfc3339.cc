#include "base/rfc3339.h"

namespace brume::base {

std::string FormatTime(absl::Time time, Fraction fraction) {
  const char* format = "%Y-%m-%d%ET%H:%M:%SZ";
  switch (fraction) {
    case Fraction::kNone:
      break;
    case Fraction::kMillis:
      format = "%Y-%m-%d%ET%H:%M:%E3SZ";
      break;
    case Fraction::kMicros:
      format = "%Y-%m-%d%ET%H:%M:%E6SZ";
      break;
    case Fraction::kNanos:
      format = "%Y-%m-%d%ET%H:%M:%E9SZ";
      break;
  }
  return absl::FormatTime(format, time, absl::UTCTimeZone());
}

std::optional<absl::Time> ParseTime(std::string_view text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full,
                       absl::string_view(text.data(), text.size()), &time,
                       &error)) {
    return std::nullopt;
  }
  return time;
}

}  // namespace brume::base
