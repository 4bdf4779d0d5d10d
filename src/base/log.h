#pragma once

#include "base/str_cat.h"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace brume::base {

// One line on stderr per event: a constant message, data as key=value:
//   2026-01-02T03:04:05.678Z INFO front listening address=127.0.0.1:9443
// error: someone must act. warn: degraded. info: lifecycle and access lines.
// debug: decisions. Never log a secret. Thread-safe.
enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

struct LogField {
  // Anything base::StrCat takes. Values with spaces or quotes are quoted.
  LogField(std::string_view k, const CatArg& v) : key(k), value(v.Piece()) {}
  std::string_view key;
  std::string value;
};

void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);
void Log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields = {});

}  // namespace brume::base
