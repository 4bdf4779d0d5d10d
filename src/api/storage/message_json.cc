#include "api/storage/message_json.h"

#include "api/json/json.h"
#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/numbers.h>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

namespace brume::api::storage {
namespace {

namespace json = boost::json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;
using services::storage::Invalid;

std::string_view View(const json::string& text) {
  return std::string_view(text.data(), text.size());
}

bool IsTime(const FieldDescriptor& field) {
  return field.message_type() == Timestamp::descriptor();
}

void WriteMessage(const Message& message, const FieldDescriptor& field,
                  JsonText& out) {
  if (IsTime(field)) {
    out.Time(static_cast<const Timestamp&>(message));
    return;
  }
  out.BeginObject();
  WriteFields(message, out);
  out.EndObject();
}

void WriteScalar(const Message& message, const FieldDescriptor& field,
                 JsonText& out) {
  const Reflection& reflection = *message.GetReflection();
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      out.String(reflection.GetStringReference(message, &field, &scratch));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      out.Bool(reflection.GetBool(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      out.Number(reflection.GetInt32(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      out.NumberText(reflection.GetInt64(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      out.NumberText(reflection.GetUInt64(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      WriteMessage(reflection.GetMessage(message, &field), field, out);
      return;
    default:
      // The resources have no fields of other types.
      out.String("");
  }
}

void WriteMap(const Message& message, const FieldDescriptor& field,
              JsonText& out) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor& key = *field.message_type()->map_key();
  const FieldDescriptor& value = *field.message_type()->map_value();
  // Maps have no order of their own; replies should.
  std::vector<std::pair<std::string, const Message*>> entries;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    entries.emplace_back(entry.GetReflection()->GetString(entry, &key), &entry);
  }
  std::sort(entries.begin(), entries.end());
  out.BeginObject();
  for (const auto& [name, entry] : entries) {
    if (out.Key(name)) WriteScalar(*entry, value, out);
  }
  out.EndObject();
}

void WriteRepeated(const Message& message, const FieldDescriptor& field,
                   JsonText& out) {
  const Reflection& reflection = *message.GetReflection();
  out.BeginArray();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    out.Element();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      WriteMessage(reflection.GetRepeatedMessage(message, &field, i), field,
                   out);
    } else {
      std::string scratch;
      out.String(
          reflection.GetRepeatedStringReference(message, &field, i, &scratch));
    }
  }
  out.EndArray();
}

absl::Status Misfit(std::string_view path, std::string_view kind) {
  return Invalid(base::StrCat("Invalid value for field '", path,
                              "': it must be ", kind, "."));
}

template <typename Int>
std::optional<Int> ToInt(const json::value& value) {
  Int number = 0;
  if (value.is_string()) {
    const std::string_view text = View(value.get_string());
    if (!absl::SimpleAtoi(base::ToAbsl(text), &number)) return std::nullopt;
    return number;
  }
  json::error_code error;
  number = value.to_number<Int>(error);
  if (error) return std::nullopt;
  return number;
}

absl::Status MergeObject(const json::object& json, Message& message,
                         const std::string& path,
                         absl::Span<const std::string_view> ignored);

// A value that stands alone: not null, not a list.
absl::Status SetScalar(const json::value& value, const FieldDescriptor& field,
                       const std::string& path, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (!value.is_string()) return Misfit(path, "a string");
      reflection.SetString(&message, &field,
                           std::string(View(value.get_string())));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      if (value.is_bool()) {
        reflection.SetBool(&message, &field, value.get_bool());
        return absl::OkStatus();
      }
      if (value.is_string() && (View(value.get_string()) == "true" ||
                                View(value.get_string()) == "false")) {
        reflection.SetBool(&message, &field,
                           View(value.get_string()) == "true");
        return absl::OkStatus();
      }
      return Misfit(path, "true or false");
    case FieldDescriptor::CPPTYPE_INT32: {
      const std::optional<int32_t> number = ToInt<int32_t>(value);
      if (!number) return Misfit(path, "an integer");
      reflection.SetInt32(&message, &field, *number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const std::optional<int64_t> number = ToInt<int64_t>(value);
      if (!number) return Misfit(path, "an integer");
      reflection.SetInt64(&message, &field, *number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const std::optional<uint64_t> number = ToInt<uint64_t>(value);
      if (!number) return Misfit(path, "an integer");
      reflection.SetUInt64(&message, &field, *number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      Message& inner = *reflection.MutableMessage(&message, &field);
      if (IsTime(field)) {
        const std::optional<absl::Time> time =
            value.is_string() ? base::ParseTime(View(value.get_string()))
                              : std::nullopt;
        if (!time) return Misfit(path, "a time (RFC 3339)");
        auto& stamp = static_cast<Timestamp&>(inner);
        const int64_t seconds = absl::ToUnixSeconds(*time);
        stamp.set_seconds(seconds);
        stamp.set_nanos(static_cast<int32_t>(
            absl::ToInt64Nanoseconds(*time - absl::FromUnixSeconds(seconds))));
        return absl::OkStatus();
      }
      if (!value.is_object()) return Misfit(path, "an object");
      return MergeObject(value.get_object(), inner, path, {});
    }
    default:
      return Misfit(path, "of another type");
  }
}

absl::Status MergeMap(const json::value& value, const FieldDescriptor& field,
                      const std::string& path, Message& message) {
  if (!value.is_object()) return Misfit(path, "an object");
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor& key_field = *field.message_type()->map_key();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  for (const auto& member : value.get_object()) {
    const std::string key(member.key().data(), member.key().size());
    int at = -1;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      if (entry.GetReflection()->GetString(entry, &key_field) == key) at = i;
    }
    if (member.value().is_null()) {
      if (at < 0) continue;
      reflection.SwapElements(&message, &field, at,
                              reflection.FieldSize(message, &field) - 1);
      reflection.RemoveLast(&message, &field);
      continue;
    }
    Message& entry =
        at < 0 ? *reflection.AddMessage(&message, &field)
               : *reflection.MutableRepeatedMessage(&message, &field, at);
    entry.GetReflection()->SetString(&entry, &key_field, key);
    RETURN_IF_ERROR(SetScalar(member.value(), value_field,
                              base::StrCat(path, ".", key), entry));
  }
  return absl::OkStatus();
}

absl::Status ReplaceList(const json::value& value, const FieldDescriptor& field,
                         const std::string& path, Message& message) {
  if (!value.is_array()) return Misfit(path, "a list");
  const Reflection& reflection = *message.GetReflection();
  reflection.ClearField(&message, &field);
  size_t index = 0;
  for (const json::value& element : value.get_array()) {
    const std::string at = base::StrCat(path, "[", index++, "]");
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!element.is_object()) return Misfit(at, "an object");
      RETURN_IF_ERROR(MergeObject(element.get_object(),
                                  *reflection.AddMessage(&message, &field), at,
                                  {}));
    } else {
      if (!element.is_string()) return Misfit(at, "a string");
      reflection.AddString(&message, &field,
                           std::string(View(element.get_string())));
    }
  }
  return absl::OkStatus();
}

absl::Status MergeObject(const json::object& json, Message& message,
                         const std::string& path,
                         absl::Span<const std::string_view> ignored) {
  for (const auto& member : json) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) {
      continue;
    }
    const FieldDescriptor* field =
        message.GetDescriptor()->FindFieldByCamelcaseName(std::string(name));
    if (field == nullptr || field->type() == FieldDescriptor::TYPE_BYTES) {
      continue;
    }
    const std::string at =
        path.empty() ? std::string(name) : base::StrCat(path, ".", name);
    if (member.value().is_null()) {
      message.GetReflection()->ClearField(&message, field);
    } else if (field->is_map()) {
      RETURN_IF_ERROR(MergeMap(member.value(), *field, at, message));
    } else if (field->is_repeated()) {
      RETURN_IF_ERROR(ReplaceList(member.value(), *field, at, message));
    } else {
      RETURN_IF_ERROR(SetScalar(member.value(), *field, at, message));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void WriteFields(const Message& message, JsonText& out,
                 std::initializer_list<int> skip) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> present;
  reflection.ListFields(message, &present);
  for (const FieldDescriptor* field : present) {
    if (field->type() == FieldDescriptor::TYPE_BYTES) continue;
    if (std::find(skip.begin(), skip.end(), field->number()) != skip.end()) {
      continue;
    }
    if (!out.Key(field->json_name())) continue;
    if (field->is_map()) {
      WriteMap(message, *field, out);
    } else if (field->is_repeated()) {
      WriteRepeated(message, *field, out);
    } else {
      WriteScalar(message, *field, out);
    }
  }
}

absl::Status MergeFields(const json::object& json, Message& message,
                         absl::Span<const std::string_view> ignored) {
  return MergeObject(json, message, "", ignored);
}

absl::StatusOr<json::object> ParseBody(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return json::object();
  }
  absl::StatusOr<json::value> parsed = ParseJson(body);
  if (!parsed.ok()) {
    return services::storage::BadRequest(
        "parseError", base::ToStd(parsed.status().message()));
  }
  if (!parsed->is_object()) {
    return services::storage::BadRequest(
        "parseError", "Parse Error: the body must be a JSON object.");
  }
  return std::move(parsed->get_object());
}

}  // namespace brume::api::storage
