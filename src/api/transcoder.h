#pragma once

#include "api/method.h"
#include "api/query_string.h"
#include "api/routes.h"
#include "api/wire.h"

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace brume::api {

// How a REST client wants its reply (system parameters).
struct ReplyStyle {
  bool pretty = true;
  bool enums_as_numbers = false;
  std::string fields;

  // INVALID_ARGUMENT for an `alt` that is not served.
  static absl::StatusOr<ReplyStyle> Of(const QueryString& query,
                                       const Headers& headers);
};

// The request message of a matched route: path variables, body and query put
// together as google.api.http says.
absl::StatusOr<AnyMessage> ReadRequest(const Method& method,
                                       const Routes::Match& match,
                                       const QueryString& query,
                                       std::string_view body);

Response WriteReply(const google::protobuf::Message& reply,
                    std::string_view response_body, const ReplyStyle& style);

}  // namespace brume::api
