#pragma once

#include <absl/status/status.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>

#include <initializer_list>
#include <string_view>

namespace brume::services::query {

// Update by field mask (AIP-134): copies the fields that `mask` names from
// `from` to `to`; "*" means all of `mutable_fields`, and an empty mask those of
// them that `from` has set. Names are proto names or their camel case.
// INVALID_ARGUMENT for a path that is no field, or is not one of
// `mutable_fields` (top-level names).
absl::Status ApplyMask(const google::protobuf::FieldMask& mask,
                       std::initializer_list<std::string_view> mutable_fields,
                       const google::protobuf::Message& from,
                       google::protobuf::Message* to);

}  // namespace brume::services::query
