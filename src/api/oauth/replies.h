#pragma once

#include "api/wire.h"

#include <absl/status/status.h>
#include <boost/json/object.hpp>

namespace brume::api::oauth {

// A JSON reply that no cache may keep.
Response Reply(const boost::json::object& body);

// {"error": "invalid_grant", "error_description": "..."} of an error of
// services/oauth (RFC 6749, 5.2); for others {"error": "internal_failure"},
// which clients try again.
Response ErrorReply(const absl::Status& status);

}  // namespace brume::api::oauth
