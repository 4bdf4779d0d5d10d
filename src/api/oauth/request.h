#pragma once

#include "api/wire.h"
#include "services/oauth/token_endpoint.h"

#include <absl/status/status.h>

#include <string>
#include <string_view>

namespace brume::api::oauth {

struct Request {
  RequestHead head;
  // What follows a route's prefix, still percent-encoded.
  std::string rest;
  // The query's parameters and the form's fields.
  services::oauth::TokenEndpoint::Form fields;

  // Empty when there is none.
  std::string_view Field(std::string_view name) const;
};

// Fills `fields` from the query and the body: a form, or a JSON object of
// strings, which Google's endpoint takes as well. INVALID_ARGUMENT.
absl::Status ReadFields(std::string_view body, Request* request);

}  // namespace brume::api::oauth
