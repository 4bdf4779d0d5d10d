#pragma once

#include <boost/json/value.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace brume::api {

// Sets (or appends to) a field that is no message from its JSON form; false
// when the value is not of the field's type or out of its range (proto3 JSON
// mapping: 64-bit integers and numbers may be strings, enums are names or
// numbers, bytes are base64).
bool SetScalar(const boost::json::value& value,
               const google::protobuf::FieldDescriptor& field,
               google::protobuf::Message* message);
bool AddScalar(const boost::json::value& value,
               const google::protobuf::FieldDescriptor& field,
               google::protobuf::Message* message);

}  // namespace brume::api
