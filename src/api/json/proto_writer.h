#pragma once

#include <absl/status/statusor.h>
#include <boost/json/value.hpp>
#include <google/protobuf/message.h>

namespace brume::api {

// A message as proto3 JSON, as Google's replies are: lowerCamelCase, defaults
// left out, 64-bit integers as strings. With `enums_as_numbers`, as asked by
// "$alt=json;enum-encoding=int". An Any of a type that is not compiled in is
// INTERNAL.
absl::StatusOr<boost::json::value> WriteJson(
    const google::protobuf::Message& message, bool enums_as_numbers);

}  // namespace brume::api
