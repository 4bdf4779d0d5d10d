#pragma once

#include "api/wire.h"

#include <absl/status/status.h>
#include <boost/json/value.hpp>

#include <string_view>

namespace brume::api {

// The HTTP status of a canonical code (google/rpc/code.proto).
int HttpStatusOf(absl::StatusCode code);
// "NOT_FOUND".
std::string_view CodeName(absl::StatusCode code);

// {"error": {"code", "message", "status", "details"}}, the error of every proto
// API (AIP-193). UNAUTHENTICATED gets its WWW-Authenticate challenge.
Response JsonError(const absl::Status& status, bool pretty = true);
// With another HTTP status than the code's.
Response JsonError(int http_status, const absl::Status& status,
                   bool pretty = true);

// A JSON reply with Google's content type.
Response JsonResponse(int http_status, const boost::json::value& body,
                      bool pretty = true);

// A method Brume knows and does not serve: 400, since clients retry 5xx.
absl::Status MethodNotServed(std::string_view method);

}  // namespace brume::api
