#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

namespace brume::services::query {

// An `order_by` (AIP-132): "field, other.field desc".
class OrderBy {
 public:
  // INVALID_ARGUMENT for bad syntax, or for a field that `prototype` lacks.
  static absl::StatusOr<OrderBy> Parse(
      std::string_view text, const google::protobuf::Message& prototype);

  bool empty() const { return terms_.empty(); }
  // Whether `a` stands before `b`. A strict weak order; unset fields first.
  bool Less(const google::protobuf::Message& a,
            const google::protobuf::Message& b) const;

 private:
  struct Term {
    std::vector<std::string> path;
    bool descending = false;
  };
  std::vector<Term> terms_;
};

}  // namespace brume::services::query
