#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::api {

// The query of a request's target, decoded ("+" is a space), in its order.
class QueryString {
 public:
  // nullopt when an escape is malformed.
  static std::optional<QueryString> Parse(std::string_view target);

  const std::vector<std::pair<std::string, std::string>>& parameters() const {
    return parameters_;
  }
  std::optional<std::string_view> Get(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

// The path of a target, still percent-encoded.
std::string_view PathOf(std::string_view target);

// Parameters every Google API takes (cloud.google.com/apis/docs/system-
// parameters): they are never bound to a request field.
bool IsStandardParameter(std::string_view name);

}  // namespace brume::api
