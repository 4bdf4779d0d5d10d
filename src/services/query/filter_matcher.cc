#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/query/field_value.h"
#include "services/query/filter.h"
#include "services/query/filter_node.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>

namespace brume::services::query {
namespace {

using Node = Filter::Node;

std::string Lower(std::string_view text) {
  return absl::AsciiStrToLower(base::ToAbsl(text));
}

// "*" stands for any run of characters.
bool Glob(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Ordered(int order, Comparator comparator) {
  switch (comparator) {
    case Comparator::kLess:
      return order < 0;
    case Comparator::kLessEquals:
      return order <= 0;
    case Comparator::kGreater:
      return order > 0;
    case Comparator::kGreaterEquals:
      return order >= 0;
    default:
      return order == 0;
  }
}

class Matcher {
 public:
  Matcher(Dialect dialect, const Filter::Aliases& aliases)
      : dialect_(dialect), aliases_(aliases) {}

  absl::StatusOr<bool> Eval(const Node& node,
                            const google::protobuf::Message& message) const {
    switch (node.kind) {
      case Node::Kind::kAnd:
        for (const auto& child : node.children) {
          ASSIGN_OR_RETURN(const bool one, Eval(*child, message));
          if (!one) return false;
        }
        return true;
      case Node::Kind::kOr:
        for (const auto& child : node.children) {
          ASSIGN_OR_RETURN(const bool one, Eval(*child, message));
          if (one) return true;
        }
        return false;
      case Node::Kind::kNot: {
        ASSIGN_OR_RETURN(const bool inner, Eval(*node.children[0], message));
        return !inner;
      }
      case Node::Kind::kGlobal: {
        const std::string wanted = Lower(node.value.text);
        return AnyText(message, [&](std::string_view text) {
          return absl::StrContains(Lower(text), wanted);
        });
      }
      case Node::Kind::kCompare:
        return Compare(node, message);
    }
    return false;
  }

 private:
  absl::StatusOr<bool> Compare(const Node& node,
                               const google::protobuf::Message& message) const {
    std::vector<std::string> path = node.path;
    if (const auto alias = aliases_.find(path[0]); alias != aliases_.end()) {
      path[0] = alias->second;
    }
    if (dialect_ == Dialect::kResourceManagerV1) path[0] = Lower(path[0]);
    ASSIGN_OR_RETURN(const std::vector<FieldValue> values,
                     Resolve(message, path));
    const bool negated = node.comparator == Comparator::kNotEquals ||
                         node.comparator == Comparator::kNotMatches;
    for (const FieldValue& value : values) {
      ASSIGN_OR_RETURN(const bool one, CompareOne(node, value));
      if (one) return !negated;
    }
    return negated;
  }

  absl::StatusOr<bool> CompareOne(const Node& node,
                                  const FieldValue& value) const {
    if (node.comparator == Comparator::kHas && node.value.text == "*" &&
        !node.value.quoted) {
      return true;  // it is there
    }
    switch (value.kind) {
      case FieldValue::Kind::kText:
        return CompareText(node, value.text);
      case FieldValue::Kind::kKey:
        // "labels:key" asks for the key alone.
        return node.comparator == Comparator::kHas &&
               value.text == node.value.text;
      case FieldValue::Kind::kNumber: {
        const std::optional<double> wanted = NumberOf(node.value.text);
        if (!wanted) {
          return absl::InvalidArgumentError(base::ToAbsl(base::StrCat(
              "Invalid filter: '", node.value.text, "' is not a number.")));
        }
        const int order = value.number < *wanted ? -1 : value.number > *wanted;
        return Ordered(order, Plain(node.comparator));
      }
      case FieldValue::Kind::kBool: {
        const std::string wanted = Lower(node.value.text);
        if (wanted != "true" && wanted != "false") {
          return absl::InvalidArgumentError(base::ToAbsl(base::StrCat(
              "Invalid filter: '", node.value.text, "' is not a boolean.")));
        }
        return value.truth == (wanted == "true");
      }
      case FieldValue::Kind::kTime: {
        const std::optional<absl::Time> wanted = TimeOf(node.value.text);
        if (!wanted) {
          return absl::InvalidArgumentError(
              base::ToAbsl(base::StrCat("Invalid filter: '", node.value.text,
                                        "' is not an RFC 3339 timestamp.")));
        }
        const int order = value.time < *wanted ? -1 : value.time > *wanted;
        return Ordered(order, Plain(node.comparator));
      }
      case FieldValue::Kind::kEnum: {
        const std::optional<int> wanted = value.EnumNumber(node.value.text);
        if (!wanted) {
          return absl::InvalidArgumentError(base::ToAbsl(
              base::StrCat("Invalid filter: '", node.value.text,
                           "' is not a value of ", value.text, ".")));
        }
        const int order = static_cast<int>(value.number) - *wanted;
        return Ordered(order, Plain(node.comparator));
      }
      case FieldValue::Kind::kMessage: {
        const std::string wanted = Lower(node.value.text);
        return AnyText(*value.message, [&](std::string_view text) {
          return absl::StrContains(Lower(text), wanted);
        });
      }
    }
    return false;
  }

  // != and !~ are turned around by the caller; ":" of an ordered value is "=".
  static Comparator Plain(Comparator comparator) {
    return comparator == Comparator::kNotEquals ||
                   comparator == Comparator::kHas
               ? Comparator::kEquals
               : comparator;
  }

  bool CompareText(const Node& node, const std::string& text) const {
    const std::string& wanted = node.value.text;
    switch (node.comparator) {
      case Comparator::kMatches:
      case Comparator::kNotMatches:
        return re2::RE2::PartialMatch(text, *node.regex);
      case Comparator::kHas:
        if (dialect_ == Dialect::kResourceManagerV1) {
          return Glob(Lower(wanted), Lower(text));
        }
        return absl::StrContains(Lower(text), Lower(wanted));
      case Comparator::kEquals:
      case Comparator::kNotEquals:
        if (dialect_ == Dialect::kAip160) {
          return wanted.find('*') == std::string::npos ? text == wanted
                                                       : Glob(wanted, text);
        }
        return Lower(text) == Lower(wanted);
      default: {
        const bool exact = dialect_ == Dialect::kAip160;
        const int order =
            exact ? text.compare(wanted) : Lower(text).compare(Lower(wanted));
        return Ordered(order, node.comparator);
      }
    }
  }

  const Dialect dialect_;
  const Filter::Aliases& aliases_;
};

void Narrow(const Node& node, Filter::TimeRange* range) {
  if (node.kind == Node::Kind::kAnd) {
    for (const auto& child : node.children) Narrow(*child, range);
    return;
  }
  if (node.kind != Node::Kind::kCompare || node.path.size() != 1 ||
      node.path[0] != "timestamp") {
    return;
  }
  const std::optional<absl::Time> time = TimeOf(node.value.text);
  if (!time) return;
  switch (node.comparator) {
    case Comparator::kGreater:
    case Comparator::kGreaterEquals:
      range->from = std::max(range->from, *time);
      break;
    case Comparator::kLess:
    case Comparator::kLessEquals:
      range->to = std::min(range->to, *time);
      break;
    case Comparator::kEquals:
      range->from = std::max(range->from, *time);
      range->to = std::min(range->to, *time);
      break;
    default:
      break;
  }
}

}  // namespace

absl::StatusOr<bool> Filter::Matches(
    const google::protobuf::Message& message) const {
  if (root_ == nullptr) return true;
  return Matcher(dialect_, aliases_).Eval(*root_, message);
}

Filter::TimeRange Filter::TimestampRange() const {
  TimeRange range;
  if (root_ != nullptr) Narrow(*root_, &range);
  return range;
}

}  // namespace brume::services::query
