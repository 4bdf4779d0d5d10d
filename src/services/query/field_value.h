#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::services::query {

// One value found in a message, in the kind by which it compares.
struct FieldValue {
  enum class Kind { kText, kNumber, kBool, kTime, kEnum, kMessage, kKey };
  Kind kind = Kind::kText;
  std::string text;   // kText; the key (kKey); the enum type's name (kEnum)
  double number = 0;  // seconds, of durations
  bool truth = false;
  absl::Time time;
  const google::protobuf::EnumDescriptor* enum_type = nullptr;
  const google::protobuf::Message* message = nullptr;  // kMessage

  // The number of an enum's value by name (any case) or number.
  std::optional<int> EnumNumber(std::string_view name) const;
};

// The values at `path` in the message: none when it is unset, several when it
// leads through repeated fields. Names in snake or camel case; maps by key;
// Structs by their fields. INVALID_ARGUMENT when there can be no such field.
absl::StatusOr<std::vector<FieldValue>> Resolve(
    const google::protobuf::Message& message,
    const std::vector<std::string>& path);

// Whether `wanted` holds for any text in the message, at any depth.
bool AnyText(const google::protobuf::Message& message,
             absl::FunctionRef<bool(std::string_view)> wanted);

std::optional<double> NumberOf(std::string_view text);
// RFC 3339; also a date alone ("2026-01-02").
std::optional<absl::Time> TimeOf(std::string_view text);

}  // namespace brume::services::query
