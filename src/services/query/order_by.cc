#include "services/query/order_by.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/query/field_value.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

namespace brume::services::query {
namespace {

int Compare(const FieldValue& a, const FieldValue& b) {
  switch (a.kind) {
    case FieldValue::Kind::kText:
    case FieldValue::Kind::kKey:
      return a.text.compare(b.text);
    case FieldValue::Kind::kNumber:
    case FieldValue::Kind::kEnum:
      return a.number < b.number ? -1 : a.number > b.number;
    case FieldValue::Kind::kBool:
      return static_cast<int>(a.truth) - static_cast<int>(b.truth);
    case FieldValue::Kind::kTime:
      return a.time < b.time ? -1 : a.time > b.time;
    case FieldValue::Kind::kMessage:
      return 0;
  }
  return 0;
}

}  // namespace

absl::StatusOr<OrderBy> OrderBy::Parse(
    std::string_view text, const google::protobuf::Message& prototype) {
  OrderBy out;
  if (absl::StripAsciiWhitespace(base::ToAbsl(text)).empty()) return out;
  for (const absl::string_view part : absl::StrSplit(base::ToAbsl(text), ',')) {
    const std::vector<std::string> words =
        absl::StrSplit(part, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    const bool known =
        words.size() == 1 ||
        (words.size() == 2 && (words[1] == "asc" || words[1] == "desc"));
    if (!known) {
      return absl::InvalidArgumentError(base::ToAbsl(
          base::StrCat("Invalid order_by '", text,
                       "': expected \"field [desc], other_field [desc]\".")));
    }
    Term term;
    term.path = absl::StrSplit(words[0], '.');
    term.descending = words.size() == 2 && words[1] == "desc";
    if (!Resolve(prototype, term.path).ok()) {
      return absl::InvalidArgumentError(
          base::ToAbsl(base::StrCat("Invalid order_by '", text,
                                    "': there is no field '", words[0], "'.")));
    }
    out.terms_.push_back(std::move(term));
  }
  return out;
}

bool OrderBy::Less(const google::protobuf::Message& a,
                   const google::protobuf::Message& b) const {
  for (const Term& term : terms_) {
    const auto left = Resolve(a, term.path);
    const auto right = Resolve(b, term.path);
    if (!left.ok() || !right.ok()) continue;
    int order = 0;
    if (left->empty() || right->empty()) {
      order =
          static_cast<int>(!left->empty()) - static_cast<int>(!right->empty());
    } else {
      order = Compare((*left)[0], (*right)[0]);
    }
    if (order != 0) return term.descending ? order > 0 : order < 0;
  }
  return false;
}

}  // namespace brume::services::query
