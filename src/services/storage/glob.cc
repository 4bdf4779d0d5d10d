#include "services/storage/glob.h"

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brume::services::storage {
namespace {

constexpr size_t kMostAlternatives = 256;

// Matches without alternatives. Remembers what failed, so that many stars cost
// no more than pattern times name.
class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view name)
      : pattern_(pattern), name_(name) {}

  bool Match(size_t p, size_t n) {
    if (failed_.contains({p, n})) return false;
    const bool matches = Try(p, n);
    if (!matches) failed_.insert({p, n});
    return matches;
  }

 private:
  bool Try(size_t p, size_t n) {
    if (p == pattern_.size()) return n == name_.size();
    const char c = pattern_[p];
    if (c == '*') {
      const bool deep = p + 1 < pattern_.size() && pattern_[p + 1] == '*';
      const size_t next = p + (deep ? 2 : 1);
      // "a/**/b" also matches "a/b".
      if (deep && next < pattern_.size() && pattern_[next] == '/' &&
          Match(next + 1, n)) {
        return true;
      }
      if (Match(next, n)) return true;
      return n < name_.size() && (deep || name_[n] != '/') && Match(p, n + 1);
    }
    if (n == name_.size()) return false;
    if (c == '?') return name_[n] != '/' && Match(p + 1, n + 1);
    if (c == '[') {
      const size_t end = pattern_.find(']', p + 2);
      if (end != std::string_view::npos) {
        return InSet(pattern_.substr(p + 1, end - p - 1), name_[n]) &&
               Match(end + 1, n + 1);
      }
    }
    if (c == '\\' && p + 1 < pattern_.size()) {
      return pattern_[p + 1] == name_[n] && Match(p + 2, n + 1);
    }
    return c == name_[n] && Match(p + 1, n + 1);
  }

  static bool InSet(std::string_view set, char c) {
    const bool negated = !set.empty() && (set[0] == '!' || set[0] == '^');
    if (negated) set.remove_prefix(1);
    bool found = false;
    for (size_t i = 0; i < set.size(); ++i) {
      if (i + 2 < set.size() && set[i + 1] == '-') {
        found |= set[i] <= c && c <= set[i + 2];
        i += 2;
      } else {
        found |= set[i] == c;
      }
    }
    return found != negated && c != '/';
  }

  const std::string_view pattern_;
  const std::string_view name_;
  std::set<std::pair<size_t, size_t>> failed_;
};

// Spells out the first "{x,y}"; what that gives may hold more.
std::vector<std::string> Expand(std::string pattern) {
  std::vector<std::string> open = {std::move(pattern)};
  std::vector<std::string> done;
  while (!open.empty() && done.size() + open.size() <= kMostAlternatives) {
    const std::string next = std::move(open.back());
    open.pop_back();
    const size_t begin = next.find('{');
    const size_t end =
        begin == std::string::npos ? begin : next.find('}', begin);
    if (end == std::string::npos) {
      done.push_back(next);
      continue;
    }
    size_t from = begin + 1;
    while (from <= end) {
      const size_t comma = std::min(next.find(',', from), end);
      open.push_back(next.substr(0, begin) + next.substr(from, comma - from) +
                     next.substr(end + 1));
      from = comma + 1;
    }
  }
  return done;
}

}  // namespace

bool MatchesGlob(std::string_view pattern, std::string_view name) {
  for (const std::string& one : Expand(std::string(pattern))) {
    if (Matcher(one, name).Match(0, 0)) return true;
  }
  return false;
}

}  // namespace brume::services::storage
