#include "client/json_fields.h"

#include <absl/strings/numbers.h>

namespace brume::client {

namespace json = boost::json;

const json::value* Field(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  if (object == nullptr) return nullptr;
  return object->if_contains(json::string_view(name.data(), name.size()));
}

std::string TextField(const json::value& value, std::string_view name) {
  const json::value* field = Field(value, name);
  if (field == nullptr || !field->is_string()) return "";
  return std::string(field->get_string());
}

int64_t NumberField(const json::value& value, std::string_view name) {
  const json::value* field = Field(value, name);
  if (field == nullptr) return 0;
  if (field->is_int64()) return field->get_int64();
  if (field->is_uint64()) return static_cast<int64_t>(field->get_uint64());
  int64_t number = 0;
  if (field->is_string() &&
      absl::SimpleAtoi(std::string(field->get_string()), &number)) {
    return number;
  }
  return 0;
}

bool FlagField(const json::value& value, std::string_view name) {
  const json::value* field = Field(value, name);
  return field != nullptr && field->is_bool() && field->get_bool();
}

}  // namespace brume::client
