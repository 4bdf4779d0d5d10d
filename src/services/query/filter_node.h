#pragma once

#include "services/query/filter.h"

#include <re2/re2.h>

#include <memory>
#include <string>
#include <vector>

// The tree of a filter: made by filter_parser.cc, walked by
// filter_matcher.cc. Private to this folder.
namespace brume::services::query {

enum class Comparator {
  kEquals,
  kNotEquals,
  kLess,
  kLessEquals,
  kGreater,
  kGreaterEquals,
  kHas,
  kMatches,
  kNotMatches
};

struct Value {
  std::string text;
  bool quoted = false;
};

struct Filter::Node {
  enum class Kind { kAnd, kOr, kNot, kCompare, kGlobal } kind = Kind::kAnd;
  std::vector<std::unique_ptr<Node>> children;
  // kCompare
  std::vector<std::string> path;
  Comparator comparator = Comparator::kEquals;
  // kCompare and kGlobal: a bare word, looked for in every text.
  Value value;
  std::unique_ptr<const re2::RE2> regex;  // of "=~" and "!~"
};

}  // namespace brume::services::query
