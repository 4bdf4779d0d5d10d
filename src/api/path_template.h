#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::api {

// A path template of google.api.http (google/api/http.proto, "Path template
// syntax"): literals, "*", "**", variables with sub-templates, a custom verb.
class PathTemplate {
 public:
  // nullopt for a text that is no template.
  static std::optional<PathTemplate> Parse(std::string_view text);

  using Bindings = std::vector<std::pair<std::string, std::string>>;

  // Matches the path of a request (still percent-encoded, without query);
  // gives variable -> value, decoded. A variable of one segment is decoded
  // wholly; one of several keeps %2F as it is, as Google's servers do.
  std::optional<Bindings> Match(std::string_view path) const;

 private:
  struct Segment {
    enum class Kind { kLiteral, kOne, kRest } kind = Kind::kLiteral;
    std::string literal;
  };
  struct Variable {
    std::string field;
    size_t begin = 0;  // of segments
    size_t end = 0;
  };
  std::vector<Segment> segments_;
  std::vector<Variable> variables_;
  std::string verb_;
};

}  // namespace brume::api
