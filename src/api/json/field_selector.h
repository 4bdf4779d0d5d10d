#pragma once

#include <absl/status/statusor.h>
#include <boost/json/value.hpp>

#include <map>
#include <string>
#include <string_view>

namespace brume::api {

// The `fields` parameter (partial responses, cloud.google.com/apis/docs/system-
// parameters): "items(name,size),nextPageToken", "a/b/c", "*". Names match in
// the reply's own spelling, and snake_case ones the camelCase of them.
class FieldSelector {
 public:
  // INVALID_ARGUMENT, with Google's text, for a text that is no selector. An
  // empty text selects everything.
  static absl::StatusOr<FieldSelector> Parse(std::string_view text);

  // Removes from `value` what is not selected. Arrays are passed through:
  // their elements are what is selected from.
  void Apply(boost::json::value* value) const;

  bool everything() const { return children_.empty(); }
  // For replies that are selected while they are written: what is selected
  // inside the member `key`; nullptr when it is left out.
  const FieldSelector* Child(std::string_view key) const;

 private:
  friend class FieldSelectorParser;
  // No children: the whole value. "*" is a child of that name.
  std::map<std::string, FieldSelector, std::less<>> children_;
};

}  // namespace brume::api
