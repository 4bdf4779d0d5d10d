#pragma once

#include "services/query/filter.h"

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace brume::services::query {

struct Token {
  enum class Kind {
    kText,     // a bare word: names, numbers, times
    kString,   // quoted; `text` is unescaped
    kSymbol,   // ( ) , . : = != < <= > >= =~ !~ -
    kNewline,  // kLogging only, where it may separate
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  size_t at = 0;        // offset of its first byte
  bool spaced = false;  // white space stands before it
};

// The tokens of a filter, kEnd last. INVALID_ARGUMENT for an unclosed quote, a
// bad escape and for bytes that begin no token.
absl::StatusOr<std::vector<Token>> Lex(std::string_view text, Dialect dialect);

// INVALID_ARGUMENT that shows the place.
absl::Status FilterFault(std::string_view what, size_t at);

}  // namespace brume::services::query
