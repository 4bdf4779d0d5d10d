#include "api/oauth/request.h"

#include "api/json/json.h"
#include "api/query_string.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/oauth/oauth_errors.h"

#include <boost/json/object.hpp>

#include <optional>

namespace brume::api::oauth {
namespace {

constexpr std::string_view kJson = "application/json";

absl::Status AddParameters(std::string_view target, Request* request) {
  const std::optional<QueryString> query = QueryString::Parse(target);
  if (!query) {
    return services::oauth::InvalidRequest(
        "The request has a malformed percent-escape.");
  }
  for (const auto& [name, value] : query->parameters()) {
    request->fields.emplace(name, value);
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view Request::Field(std::string_view name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : found->second;
}

absl::Status ReadFields(std::string_view body, Request* request) {
  RETURN_IF_ERROR(AddParameters(request->head.target, request));
  if (body.empty()) return absl::OkStatus();
  const std::string_view type =
      request->head.headers.Get("content-type").value_or("");
  if (type.substr(0, kJson.size()) != kJson) {
    return AddParameters(base::StrCat("?", body), request);
  }
  const absl::StatusOr<boost::json::value> parsed = ParseJson(body);
  if (!parsed.ok() || !parsed->is_object()) {
    return services::oauth::InvalidRequest("The body is no JSON object.");
  }
  for (const auto& [name, value] : parsed->get_object()) {
    if (!value.is_string()) continue;
    request->fields.emplace(std::string(name.data(), name.size()),
                            std::string(value.get_string()));
  }
  return absl::OkStatus();
}

}  // namespace brume::api::oauth
