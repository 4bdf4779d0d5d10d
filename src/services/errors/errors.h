#pragma once

#include <absl/status/status.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// Errors of Google's APIs: a canonical code, the service's own words, and
// google.rpc details carried as payloads of the absl::Status (AIP-193). api/
// turns them into REST, XML and gRPC replies.
namespace brume::services {

// Adds a google.rpc detail message
// ("type.googleapis.com/google.rpc.ErrorInfo").
absl::Status WithDetail(absl::Status status,
                        const google::protobuf::Message& detail);

// Adds google.rpc.ErrorInfo.
absl::Status WithReason(
    absl::Status status, std::string_view reason, std::string_view domain,
    const std::map<std::string, std::string>& metadata = {});

// INVALID_ARGUMENT with google.rpc.BadRequest naming the field.
absl::Status InvalidField(std::string_view field, std::string_view message);

// The details in the order they were added.
std::vector<google::protobuf::Any> DetailsOf(const absl::Status& status);

}  // namespace brume::services
