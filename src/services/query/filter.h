#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

// List filters. One lexer and one parser for three dialects that differ in
// little:
//   kAip160           AIP-160: comparisons, has (":"), AND/OR/NOT/"-",
//                     parentheses. OR binds tighter than AND. Functions are
//                     refused.
//   kLogging          the same, and "=~" / "!~" (RE2), a newline as AND, and
//                     comparisons of texts without regard to case (the Logging
//                     query language).
//   kResourceManagerV1  "key:value key:value": ":" is a match of words without
//                     regard to case with "*" wildcards, blanks are AND, "OR"
//                     may stand between (Resource Manager v1, ListProjects).
namespace brume::services::query {

enum class Dialect { kAip160, kLogging, kResourceManagerV1 };

// A parsed filter. Immutable; thread-safe.
class Filter {
 public:
  // INVALID_ARGUMENT that says at which character what is wrong. A blank text
  // matches everything.
  static absl::StatusOr<Filter> Parse(std::string_view text, Dialect dialect);

  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  // Paths are fields of the message, in snake or camel case, through messages,
  // maps and Structs; of repeated fields any element counts. INVALID_ARGUMENT
  // for a path that no such message can have, and for a value that does not
  // compare with the field.
  absl::StatusOr<bool> Matches(const google::protobuf::Message& message) const;

  bool empty() const { return root_ == nullptr; }

  // Other names of fields: {"id": "project_id"}. Whole first path elements.
  using Aliases = std::map<std::string, std::string, std::less<>>;
  void set_aliases(Aliases aliases) { aliases_ = std::move(aliases); }

  // Between which times `timestamp` must lie for a match, where the filter says
  // so at its top level: for range scans. Both ends are included; the infinite
  // past and future where it does not say.
  struct TimeRange {
    absl::Time from = absl::InfinitePast();
    absl::Time to = absl::InfiniteFuture();
  };
  TimeRange TimestampRange() const;

  struct Node;

 private:
  Filter(std::unique_ptr<const Node> root, Dialect dialect);
  std::unique_ptr<const Node> root_;
  Dialect dialect_;
  Aliases aliases_;
};

}  // namespace brume::services::query
