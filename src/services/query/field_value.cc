#include "services/query/field_value.h"

#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <charconv>

namespace brume::services::query {
namespace {

namespace pb = google::protobuf;
using Kind = FieldValue::Kind;

const pb::FieldDescriptor* FindField(const pb::Descriptor& type,
                                     const std::string& name) {
  if (const auto* field = type.FindFieldByName(name)) return field;
  for (int i = 0; i < type.field_count(); ++i) {
    if (absl::EqualsIgnoreCase(type.field(i)->json_name(), name)) {
      return type.field(i);
    }
  }
  return nullptr;
}

bool IsWrapper(const pb::Descriptor& type) {
  const std::string& name = type.full_name();
  return absl::StartsWith(name, "google.protobuf.") &&
         absl::EndsWith(name, "Value") && name != "google.protobuf.Value" &&
         name != "google.protobuf.ListValue";
}

class Resolver {
 public:
  explicit Resolver(const std::vector<std::string>& path) : path_(path) {}

  absl::Status Message(const pb::Message& message, size_t at) {
    const std::string& type = message.GetDescriptor()->full_name();
    if (type == "google.protobuf.Struct") {
      return Struct(static_cast<const pb::Struct&>(message), at);
    }
    if (type == "google.protobuf.Value") {
      return Value(static_cast<const pb::Value&>(message), at);
    }
    if (type == "google.protobuf.Any") {
      // What is inside is opaque here; it matches nothing.
      return absl::OkStatus();
    }
    if (at == path_.size()) {
      Leaf(message);
      return absl::OkStatus();
    }
    const pb::FieldDescriptor* field =
        FindField(*message.GetDescriptor(), path_[at]);
    if (field == nullptr) return NoField(at);
    return Field(message, *field, at + 1);
  }

  std::vector<FieldValue> found;

 private:
  absl::Status NoField(size_t at) const {
    std::string whole;
    for (const std::string& part : path_) {
      if (!whole.empty()) whole += '.';
      whole += part;
    }
    return absl::InvalidArgumentError(
        base::ToAbsl(base::StrCat("Invalid filter: field '", whole,
                                  "' is not known ('", path_[at], "').")));
  }

  // A message at the path's end: by what it compares.
  void Leaf(const pb::Message& message) {
    const std::string& type = message.GetDescriptor()->full_name();
    FieldValue value;
    if (type == "google.protobuf.Timestamp") {
      const auto& time = static_cast<const pb::Timestamp&>(message);
      value.kind = Kind::kTime;
      value.time = absl::FromUnixSeconds(time.seconds()) +
                   absl::Nanoseconds(time.nanos());
    } else if (type == "google.protobuf.Duration") {
      const auto& length = static_cast<const pb::Duration&>(message);
      value.kind = Kind::kNumber;
      value.number = static_cast<double>(length.seconds()) +
                     static_cast<double>(length.nanos()) / 1e9;
    } else if (IsWrapper(*message.GetDescriptor())) {
      Scalar(message, *message.GetDescriptor()->field(0), -1);
      return;
    } else {
      value.kind = Kind::kMessage;
      value.message = &message;
    }
    found.push_back(std::move(value));
  }

  absl::Status Field(const pb::Message& message,
                     const pb::FieldDescriptor& field, size_t at) {
    const pb::Reflection& reflection = *message.GetReflection();
    if (field.is_map()) return Map(message, field, at);
    const bool is_message =
        field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
    if (!is_message && at < path_.size()) return NoField(at);
    if (field.is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        if (is_message) {
          RETURN_IF_ERROR(
              Message(reflection.GetRepeatedMessage(message, &field, i), at));
        } else {
          Scalar(message, field, i);
        }
      }
      return absl::OkStatus();
    }
    if (is_message) {
      if (!reflection.HasField(message, &field)) {
        // The path is checked all the same, on an empty message.
        Resolver check(path_);
        return check.Message(reflection.GetMessage(message, &field), at);
      }
      return Message(reflection.GetMessage(message, &field), at);
    }
    // An unset text is absent; numbers, booleans and enums have their default.
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING &&
        !reflection.HasField(message, &field)) {
      return absl::OkStatus();
    }
    Scalar(message, field, -1);
    return absl::OkStatus();
  }

  absl::Status Map(const pb::Message& message, const pb::FieldDescriptor& field,
                   size_t at) {
    const pb::Reflection& reflection = *message.GetReflection();
    const pb::FieldDescriptor& key = *field.message_type()->map_key();
    const pb::FieldDescriptor& value = *field.message_type()->map_value();
    if (key.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING) {
      return absl::OkStatus();
    }
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const pb::Message& entry =
          reflection.GetRepeatedMessage(message, &field, i);
      const std::string name = entry.GetReflection()->GetString(entry, &key);
      if (at == path_.size()) {
        FieldValue one;
        one.kind = Kind::kKey;
        one.text = name;
        found.push_back(std::move(one));
      } else if (name == path_[at]) {
        if (value.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
          RETURN_IF_ERROR(Message(
              entry.GetReflection()->GetMessage(entry, &value), at + 1));
        } else {
          Scalar(entry, value, -1);
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status Struct(const pb::Struct& object, size_t at) {
    if (at == path_.size()) {
      FieldValue value;
      value.kind = Kind::kMessage;
      value.message = &object;
      found.push_back(std::move(value));
      return absl::OkStatus();
    }
    const auto it = object.fields().find(path_[at]);
    if (it == object.fields().end()) return absl::OkStatus();
    return Value(it->second, at + 1);
  }

  absl::Status Value(const pb::Value& value, size_t at) {
    FieldValue out;
    switch (value.kind_case()) {
      case pb::Value::kStructValue:
        return Struct(value.struct_value(), at);
      case pb::Value::kListValue:
        for (const pb::Value& item : value.list_value().values()) {
          RETURN_IF_ERROR(Value(item, at));
        }
        return absl::OkStatus();
      case pb::Value::kStringValue:
        out.text = value.string_value();
        break;
      case pb::Value::kNumberValue:
        out.kind = Kind::kNumber;
        out.number = value.number_value();
        break;
      case pb::Value::kBoolValue:
        out.kind = Kind::kBool;
        out.truth = value.bool_value();
        break;
      default:
        return absl::OkStatus();
    }
    if (at == path_.size()) found.push_back(std::move(out));
    return absl::OkStatus();
  }

  // Element `index` of a repeated field, or the field itself (-1).
  void Scalar(const pb::Message& message, const pb::FieldDescriptor& field,
              int index) {
    const pb::Reflection& r = *message.GetReflection();
    const bool one = index < 0;
    const auto number = [&](double value) {
      FieldValue out;
      out.kind = Kind::kNumber;
      out.number = value;
      return out;
    };
    FieldValue out;
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_STRING:
        out.text = one ? r.GetString(message, &field)
                       : r.GetRepeatedString(message, &field, index);
        break;
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        out.kind = Kind::kBool;
        out.truth = one ? r.GetBool(message, &field)
                        : r.GetRepeatedBool(message, &field, index);
        break;
      case pb::FieldDescriptor::CPPTYPE_ENUM:
        out.kind = Kind::kEnum;
        out.enum_type = field.enum_type();
        out.text = field.enum_type()->name();
        out.number = one ? r.GetEnumValue(message, &field)
                         : r.GetRepeatedEnumValue(message, &field, index);
        break;
      case pb::FieldDescriptor::CPPTYPE_INT32:
        out = number(one ? r.GetInt32(message, &field)
                         : r.GetRepeatedInt32(message, &field, index));
        break;
      case pb::FieldDescriptor::CPPTYPE_UINT32:
        out = number(one ? r.GetUInt32(message, &field)
                         : r.GetRepeatedUInt32(message, &field, index));
        break;
      case pb::FieldDescriptor::CPPTYPE_INT64:
        out = number(static_cast<double>(
            one ? r.GetInt64(message, &field)
                : r.GetRepeatedInt64(message, &field, index)));
        break;
      case pb::FieldDescriptor::CPPTYPE_UINT64:
        out = number(static_cast<double>(
            one ? r.GetUInt64(message, &field)
                : r.GetRepeatedUInt64(message, &field, index)));
        break;
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        out = number(one ? r.GetDouble(message, &field)
                         : r.GetRepeatedDouble(message, &field, index));
        break;
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
        out = number(one ? r.GetFloat(message, &field)
                         : r.GetRepeatedFloat(message, &field, index));
        break;
      default:
        return;
    }
    found.push_back(std::move(out));
  }

  const std::vector<std::string>& path_;
};

}  // namespace

std::optional<int> FieldValue::EnumNumber(std::string_view name) const {
  for (int i = 0; i < enum_type->value_count(); ++i) {
    if (absl::EqualsIgnoreCase(enum_type->value(i)->name(),
                               base::ToAbsl(name))) {
      return enum_type->value(i)->number();
    }
  }
  int number = 0;
  const auto result =
      std::from_chars(name.data(), name.data() + name.size(), number);
  if (result.ec != std::errc() || result.ptr != name.data() + name.size()) {
    return std::nullopt;
  }
  return number;
}

absl::StatusOr<std::vector<FieldValue>> Resolve(
    const pb::Message& message, const std::vector<std::string>& path) {
  Resolver resolver(path);
  RETURN_IF_ERROR(resolver.Message(message, 0));
  return std::move(resolver.found);
}

bool AnyText(const pb::Message& message,
             absl::FunctionRef<bool(std::string_view)> wanted) {
  const pb::Reflection& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    const int count =
        field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING &&
          field->type() != pb::FieldDescriptor::TYPE_BYTES) {
        if (wanted(field->is_repeated()
                       ? reflection.GetRepeatedString(message, field, i)
                       : reflection.GetString(message, field))) {
          return true;
        }
      } else if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
        if (AnyText(field->is_repeated()
                        ? reflection.GetRepeatedMessage(message, field, i)
                        : reflection.GetMessage(message, field),
                    wanted)) {
          return true;
        }
      }
    }
  }
  return false;
}

std::optional<double> NumberOf(std::string_view text) {
  // Durations are numbers of seconds: "1.5s".
  if (text.size() > 1 && text.back() == 's') text.remove_suffix(1);
  double number = 0;
  const auto result =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<absl::Time> TimeOf(std::string_view text) {
  if (const auto time = base::ParseTime(text)) return time;
  return base::ParseTime(base::StrCat(text, "T00:00:00Z"));
}

}  // namespace brume::services::query
