#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

// JSON as Google's APIs read and print it, over Boost.JSON values.
namespace brume::api {

// Reads one JSON document (RFC 8259). INVALID_ARGUMENT with Google's text for
// bad syntax, a repeated key, bytes that are not UTF-8, and nesting deeper than
// 100. "Invalid JSON payload received. ..." shows the place with a caret.
absl::StatusOr<boost::json::value> ParseJson(std::string_view text);

// Prints compactly, or with two spaces of indentation as Google's replies are
// by default. Numbers print as protobuf prints them (1.5, not 1.5E0).
std::string PrintJson(const boost::json::value& value, bool pretty);

}  // namespace brume::api
