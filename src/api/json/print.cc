#include "api/json/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <cmath>

namespace brume::api {
namespace {

namespace json = boost::json;

void PrintNumber(double value, std::string* out) {
  if (!std::isfinite(value)) {
    *out += std::isnan(value) ? "\"NaN\""
                              : (value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    return;
  }
  if (value == 0 && std::signbit(value)) {
    *out += "-0.0";
    return;
  }
  char text[32];
  const std::to_chars_result result =
      std::to_chars(text, text + sizeof(text), value);
  out->append(text, result.ptr);
}

void Print(const json::value& value, bool pretty, size_t depth,
           std::string* out) {
  const auto line = [&](size_t indent) {
    if (!pretty) return;
    *out += '\n';
    out->append(2 * indent, ' ');
  };
  switch (value.kind()) {
    case json::kind::object: {
      const json::object& object = value.get_object();
      if (object.empty()) {
        *out += "{}";
        return;
      }
      *out += '{';
      bool first = true;
      for (const json::key_value_pair& pair : object) {
        if (!first) *out += ',';
        first = false;
        line(depth + 1);
        *out += json::serialize(pair.key());
        *out += pretty ? ": " : ":";
        Print(pair.value(), pretty, depth + 1, out);
      }
      line(depth);
      *out += '}';
      return;
    }
    case json::kind::array: {
      const json::array& array = value.get_array();
      if (array.empty()) {
        *out += "[]";
        return;
      }
      *out += '[';
      bool first = true;
      for (const json::value& item : array) {
        if (!first) *out += ',';
        first = false;
        line(depth + 1);
        Print(item, pretty, depth + 1, out);
      }
      line(depth);
      *out += ']';
      return;
    }
    case json::kind::double_:
      PrintNumber(value.get_double(), out);
      return;
    default:
      *out += json::serialize(value);
  }
}

}  // namespace

std::string PrintJson(const json::value& value, bool pretty) {
  std::string out;
  Print(value, pretty, 0, &out);
  if (pretty) out += '\n';
  return out;
}

}  // namespace brume::api
