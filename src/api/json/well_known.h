#pragma once

#include <boost/json/value.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>

namespace brume::api {

// The google.protobuf types with a JSON form of their own: Timestamp, Duration,
// FieldMask, Struct, Value, ListValue, Any and the wrappers.
bool IsWellKnown(const google::protobuf::Descriptor& type);

// Reads such a message. nullopt when it was well; else what to say after the
// type's name in Google's "Invalid value at 'f' (type), ...".
std::optional<std::string> ReadWellKnown(const boost::json::value& value,
                                         google::protobuf::Message* message);

}  // namespace brume::api
