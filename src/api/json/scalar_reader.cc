#include "api/json/scalar_reader.h"

#include "base/encoding.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace brume::api {
namespace {

namespace json = boost::json;
namespace pb = google::protobuf;

std::optional<std::string_view> Text(const json::value& value) {
  const json::string* text = value.if_string();
  if (text == nullptr) return std::nullopt;
  return std::string_view(text->data(), text->size());
}

template <typename T>
std::optional<T> FromText(std::string_view text) {
  T out{};
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, out);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return out;
}

std::optional<double> Double(const json::value& value) {
  if (const double* number = value.if_double()) return *number;
  if (const int64_t* number = value.if_int64()) {
    return static_cast<double>(*number);
  }
  if (const uint64_t* number = value.if_uint64()) {
    return static_cast<double>(*number);
  }
  const auto text = Text(value);
  if (!text) return std::nullopt;
  if (*text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (*text == "Infinity") return std::numeric_limits<double>::infinity();
  if (*text == "-Infinity") return -std::numeric_limits<double>::infinity();
  const std::optional<double> number = FromText<double>(*text);
  // from_chars takes "inf" and "nan" as well; JSON's mapping does not.
  return number && std::isfinite(*number) ? number : std::nullopt;
}

template <typename T>
std::optional<T> Integer(const json::value& value) {
  if (const int64_t* number = value.if_int64()) {
    if constexpr (std::is_unsigned_v<T>) {
      if (*number < 0 ||
          static_cast<uint64_t>(*number) > std::numeric_limits<T>::max()) {
        return std::nullopt;
      }
    } else if (*number < std::numeric_limits<T>::min() ||
               *number > std::numeric_limits<T>::max()) {
      return std::nullopt;
    }
    return static_cast<T>(*number);
  }
  if (const uint64_t* number = value.if_uint64()) {
    if (*number > static_cast<uint64_t>(std::numeric_limits<T>::max())) {
      return std::nullopt;
    }
    return static_cast<T>(*number);
  }
  if (const auto text = Text(value)) {
    if (const std::optional<T> number = FromText<T>(*text)) return number;
  }
  // "1.0" and 1e3 are integers where they are whole.
  const std::optional<double> number = Double(value);
  if (!number || std::trunc(*number) != *number ||
      *number < static_cast<double>(std::numeric_limits<T>::min()) ||
      *number >= std::ldexp(1.0, std::numeric_limits<T>::digits)) {
    return std::nullopt;
  }
  return static_cast<T>(*number);
}

std::optional<float> Float(const json::value& value) {
  const std::optional<double> number = Double(value);
  if (!number) return std::nullopt;
  if (std::isfinite(*number) &&
      std::abs(*number) > std::numeric_limits<float>::max()) {
    return std::nullopt;
  }
  return static_cast<float>(*number);
}

std::optional<int> Enum(const json::value& value,
                        const pb::EnumDescriptor& type) {
  if (const auto text = Text(value)) {
    if (const auto* named = type.FindValueByName(std::string(*text))) {
      return named->number();
    }
    // In queries numbers are texts.
    return FromText<int32_t>(*text);
  }
  return Integer<int32_t>(value);
}

// Calls `set` with the value in the field's own type.
template <typename Set>
bool Convert(const json::value& value, const pb::FieldDescriptor& field,
             Set set) {
  const auto give = [&set](auto converted) {
    if (!converted) return false;
    set(*std::move(converted));
    return true;
  };
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return give(Integer<int32_t>(value));
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return give(Integer<int64_t>(value));
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return give(Integer<uint32_t>(value));
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return give(Integer<uint64_t>(value));
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return give(Double(value));
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
      return give(Float(value));
    case pb::FieldDescriptor::CPPTYPE_BOOL: {
      if (const bool* truth = value.if_bool())
        return give(std::optional(*truth));
      const auto text = Text(value);
      if (text == "true") return give(std::optional(true));
      if (text == "false") return give(std::optional(false));
      return false;
    }
    case pb::FieldDescriptor::CPPTYPE_STRING: {
      const auto text = Text(value);
      if (!text) return false;
      if (field.type() == pb::FieldDescriptor::TYPE_BYTES) {
        return give(base::Base64Decode(*text));
      }
      return give(std::optional(std::string(*text)));
    }
    default:
      return false;
  }
}

// Overloads that pick the reflection call of a type.
struct Setter {
  pb::Message* message;
  const pb::FieldDescriptor* field;
  bool append;

  void operator()(int32_t v) const {
    Do(v, &pb::Reflection::SetInt32, &pb::Reflection::AddInt32);
  }
  void operator()(int64_t v) const {
    Do(v, &pb::Reflection::SetInt64, &pb::Reflection::AddInt64);
  }
  void operator()(uint32_t v) const {
    Do(v, &pb::Reflection::SetUInt32, &pb::Reflection::AddUInt32);
  }
  void operator()(uint64_t v) const {
    Do(v, &pb::Reflection::SetUInt64, &pb::Reflection::AddUInt64);
  }
  void operator()(double v) const {
    Do(v, &pb::Reflection::SetDouble, &pb::Reflection::AddDouble);
  }
  void operator()(float v) const {
    Do(v, &pb::Reflection::SetFloat, &pb::Reflection::AddFloat);
  }
  void operator()(bool v) const {
    Do(v, &pb::Reflection::SetBool, &pb::Reflection::AddBool);
  }
  void operator()(std::string v) const {
    Do(std::move(v), &pb::Reflection::SetString, &pb::Reflection::AddString);
  }

 private:
  template <typename T, typename Set, typename Add>
  void Do(T value, Set set, Add add) const {
    const pb::Reflection& reflection = *message->GetReflection();
    (reflection.*(append ? static_cast<Set>(add) : set))(message, field,
                                                         std::move(value));
  }
};

bool Write(const json::value& value, const pb::FieldDescriptor& field,
           pb::Message* message, bool append) {
  if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_ENUM) {
    const std::optional<int> number = Enum(value, *field.enum_type());
    if (!number) return false;
    const pb::Reflection& reflection = *message->GetReflection();
    if (append) {
      reflection.AddEnumValue(message, &field, *number);
    } else {
      reflection.SetEnumValue(message, &field, *number);
    }
    return true;
  }
  return Convert(value, field, Setter{message, &field, append});
}

}  // namespace

bool SetScalar(const json::value& value, const pb::FieldDescriptor& field,
               pb::Message* message) {
  return Write(value, field, message, false);
}

bool AddScalar(const json::value& value, const pb::FieldDescriptor& field,
               pb::Message* message) {
  return Write(value, field, message, true);
}

}  // namespace brume::api
