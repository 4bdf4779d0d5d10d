#include "api/http_error.h"

#include "api/json/json.h"
#include "api/json/proto_writer.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <google/protobuf/any.pb.h>

namespace brume::api {
namespace json = boost::json;

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    default:
      return 500;
  }
}

std::string_view CodeName(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return "OK";
    case absl::StatusCode::kCancelled:
      return "CANCELLED";
    case absl::StatusCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case absl::StatusCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case absl::StatusCode::kNotFound:
      return "NOT_FOUND";
    case absl::StatusCode::kAlreadyExists:
      return "ALREADY_EXISTS";
    case absl::StatusCode::kPermissionDenied:
      return "PERMISSION_DENIED";
    case absl::StatusCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case absl::StatusCode::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case absl::StatusCode::kAborted:
      return "ABORTED";
    case absl::StatusCode::kOutOfRange:
      return "OUT_OF_RANGE";
    case absl::StatusCode::kUnimplemented:
      return "UNIMPLEMENTED";
    case absl::StatusCode::kInternal:
      return "INTERNAL";
    case absl::StatusCode::kUnavailable:
      return "UNAVAILABLE";
    case absl::StatusCode::kDataLoss:
      return "DATA_LOSS";
    case absl::StatusCode::kUnauthenticated:
      return "UNAUTHENTICATED";
    default:
      return "UNKNOWN";
  }
}

Response JsonResponse(int http_status, const json::value& body, bool pretty) {
  Response response;
  response.status = http_status;
  response.headers.Add("Content-Type", "application/json; charset=UTF-8");
  response.headers.Add("Vary", "Origin, X-Origin, Referer");
  response.headers.Add("Cache-Control", "private");
  response.headers.Add("X-Content-Type-Options", "nosniff");
  response.body = PrintJson(body, pretty);
  return response;
}

Response JsonError(int http_status, const absl::Status& status, bool pretty) {
  json::object error;
  error["code"] = http_status;
  const absl::string_view message = status.message();
  error["message"] = json::string_view(message.data(), message.size());
  const std::string_view name = CodeName(status.code());
  error["status"] = json::string_view(name.data(), name.size());
  json::array details;
  for (const google::protobuf::Any& detail : services::DetailsOf(status)) {
    absl::StatusOr<json::value> printed = WriteJson(detail, false);
    // A detail that cannot be printed is left out; the error itself stands.
    if (printed.ok()) details.push_back(*std::move(printed));
  }
  if (!details.empty()) error["details"] = std::move(details);
  json::object body;
  body["error"] = std::move(error);
  Response response = JsonResponse(http_status, body, pretty);
  if (http_status == 401) {
    const bool missing =
        absl::IsUnauthenticated(status) &&
        status.message().find("missing") != absl::string_view::npos;
    response.headers.Add("WWW-Authenticate",
                         missing
                             ? "Bearer realm=\"https://accounts.google.com/\""
                             : "Bearer realm=\"https://accounts.google.com/\", "
                               "error=\"invalid_token\"");
  }
  return response;
}

Response JsonError(const absl::Status& status, bool pretty) {
  return JsonError(HttpStatusOf(status.code()), status, pretty);
}

absl::Status MethodNotServed(std::string_view method) {
  return services::WithReason(
      absl::FailedPreconditionError(base::ToAbsl(base::StrCat(
          "Brume does not serve ", method,
          "; docs/coverage.md lists the methods that it serves."))),
      "METHOD_NOT_SERVED", "brume", {{"method", std::string(method)}});
}

}  // namespace brume::api
