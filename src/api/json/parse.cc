#include "api/json/json.h"
#include "base/str_cat.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

namespace brume::api {
namespace {

namespace json = boost::json;

constexpr size_t kMaxDepth = 100;

// Builds a value as boost::json::parser does, and refuses repeated keys.
class Handler {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  Handler() { stack_.reset(); }

  json::value Release() { return stack_.release(); }
  const std::string& repeated() const { return repeated_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, json::error_code&) {
    keys_.pop_back();
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    key_.append(part.data(), part.size());
    const bool fresh = keys_.back().insert(key_).second;
    if (!fresh) {
      repeated_ = key_;
      error = json::make_error_code(json::error::syntax);
      return false;
    }
    key_.clear();
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code&) {
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) {
    stack_.push_uint64(value);
    return true;
  }
  bool on_double(double value, json::string_view, json::error_code&) {
    stack_.push_double(value);
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::string key_;
  std::vector<std::set<std::string>> keys_;
  std::string repeated_;
};

// The line of `text` around `at`, and a caret under it, as Google's parser
// shows them.
std::string Excerpt(std::string_view text, size_t at) {
  constexpr size_t kAround = 20;
  at = std::min(at, text.size());
  // A bad literal is shown from its beginning.
  while (at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1]))) --at;
  size_t begin = at > kAround ? at - kAround : 0;
  size_t end = std::min(text.size(), at + kAround);
  // Never cut a UTF-8 character.
  const auto inside = [&](size_t i) {
    return i < text.size() &&
           (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  while (begin > 0 && inside(begin)) --begin;
  while (inside(end)) ++end;
  const size_t line = text.substr(0, at).rfind('\n');
  if (line != std::string_view::npos) begin = std::max(begin, line + 1);
  const size_t next = text.find('\n', at);
  if (next != std::string_view::npos) end = std::min(end, next);
  return base::StrCat(text.substr(begin, end - begin), "\n",
                      std::string(at - begin, ' '), "^");
}

std::string_view Problem(const json::error_code& error) {
  if (error == json::error::incomplete) return "Unexpected end of string.";
  if (error == json::error::too_deep) {
    return "Message too deep. Max recursion depth reached for key";
  }
  if (error == json::error::extra_data)
    return "Parsing terminated before end of input.";
  return "Unexpected token.";
}

absl::Status Bad(std::string_view what) {
  return absl::InvalidArgumentError(
      base::ToAbsl(base::StrCat("Invalid JSON payload received. ", what)));
}

}  // namespace

absl::StatusOr<json::value> ParseJson(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<Handler> parser(options);
  json::error_code error;
  const size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) {
    // Only white space may follow.
    const size_t rest = text.find_first_not_of(" \t\r\n", read);
    if (rest != std::string_view::npos) {
      return Bad(base::StrCat("Parsing terminated before end of input.\n",
                              Excerpt(text, rest)));
    }
  }
  if (error) {
    if (!parser.handler().repeated().empty()) {
      return Bad(base::StrCat("Repeated name \"", parser.handler().repeated(),
                              "\".\n", Excerpt(text, read)));
    }
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      return Bad("Unexpected end of string. Expected a value.\n\n^");
    }
    return Bad(base::StrCat(Problem(error), "\n", Excerpt(text, read)));
  }
  return parser.handler().Release();
}

}  // namespace brume::api
