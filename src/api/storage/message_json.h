#pragma once

#include "api/storage/json_text.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>
#include <boost/json/object.hpp>
#include <google/protobuf/message.h>

#include <initializer_list>
#include <string_view>

// Resources of the Storage JSON API, as messages of ours (brume/storage) and as
// JSON. Not proto3 JSON: null and absent differ, unknown names are ignored,
// since clients send whole resources back.
namespace brume::api::storage {

// Writes the fields that are present as members of the object that is open, but
// for those with the numbers of `skip`.
void WriteFields(const google::protobuf::Message& message, JsonText& out,
                 std::initializer_list<int> skip = {});

// Sets the fields that `json` names; null clears one, objects and maps are
// merged, lists are replaced. Names in `ignored` and unknown ones are passed
// over. 400 that names the field when a value does not fit.
absl::Status MergeFields(const boost::json::object& json,
                         google::protobuf::Message& message,
                         absl::Span<const std::string_view> ignored = {});

// Parses a request body: an object, or nothing at all. 400 "parseError" with
// the place.
absl::StatusOr<boost::json::object> ParseBody(std::string_view body);

}  // namespace brume::api::storage
