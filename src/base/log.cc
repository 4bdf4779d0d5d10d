#include "base/log.h"

#include "base/rfc3339.h"
#include "base/str_cat.h"

#include <absl/strings/escaping.h>
#include <absl/time/clock.h>
#include <unistd.h>

#include <atomic>
#include <string>

namespace brume::base {
namespace {

// Process-wide by nature: stderr is. Trivially destructible.
std::atomic<LogLevel> g_level{LogLevel::kInfo};

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarn:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
    case LogLevel::kOff:
      break;
  }
  return "OFF";
}

}  // namespace

void SetLogLevel(LogLevel level) { g_level = level; }

bool LogEnabled(LogLevel level) { return level >= g_level.load(); }

void Log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  std::string line = StrCat(FormatTime(absl::Now(), Fraction::kMillis), " ",
                            NameOf(level), " ", component, " ", message);
  for (const LogField& field : fields) {
    StrAppend(&line, " ", field.key, "=");
    if (field.value.find_first_of(" \"\n\r\t\\") == std::string::npos) {
      line += field.value;
    } else {
      StrAppend(&line, "\"", absl::CEscape(field.value), "\"");
    }
  }
  line += '\n';
  // One write, so that lines of several threads do not mix.
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace brume::base
