#pragma once

#include "api/wire.h"

#include <absl/status/status.h>

#include <string_view>

// Errors as Storage's JSON API shows them: "errors" with domain, reason and
// location instead of google.rpc details.
namespace brume::api::storage {

Response ErrorReply(const absl::Status& status);
// As media downloads answer: the message alone. A failed "not match" is 304.
Response MediaErrorReply(const absl::Status& status);
// For what only the XML API answers: its own shape.
Response XmlRefusal(std::string_view resource);

Response Reply(int status, std::string body);
Response EmptyReply(int status);

absl::Status NotFoundPath();

}  // namespace brume::api::storage
