#include "api/storage/errors.h"

#include "api/http_error.h"
#include "api/storage/json_text.h"
#include "base/log.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/storage/preconditions.h"

#include <absl/strings/numbers.h>
#include <google/rpc/error_details.pb.h>

#include <map>
#include <optional>
#include <string>

namespace brume::api::storage {
namespace {

struct Shown {
  int code = 500;
  std::string message;
  std::string reason;
  std::string location_type;
  std::string location;
};

std::string_view ReasonOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return "invalid";
    case absl::StatusCode::kNotFound:
      return "notFound";
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return "conflict";
    case absl::StatusCode::kFailedPrecondition:
      return "conditionNotMet";
    case absl::StatusCode::kPermissionDenied:
      return "forbidden";
    case absl::StatusCode::kUnauthenticated:
      return "authError";
    case absl::StatusCode::kOutOfRange:
      return "requestedRangeNotSatisfiable";
    case absl::StatusCode::kResourceExhausted:
      return "rateLimitExceeded";
    default:
      return "backendError";
  }
}

Shown Show(const absl::Status& status) {
  Shown shown;
  shown.code = HttpStatusOf(status.code());
  shown.message = std::string(status.message());
  shown.reason = std::string(ReasonOf(status.code()));
  for (const google::protobuf::Any& detail : services::DetailsOf(status)) {
    google::rpc::ErrorInfo info;
    if (!detail.UnpackTo(&info)) continue;
    const auto& more = info.metadata();
    if (info.domain() == "global" || info.domain() == "brume") {
      shown.reason = info.reason();
    }
    if (const auto at = more.find("httpStatus"); at != more.end()) {
      (void)absl::SimpleAtoi(at->second, &shown.code);
    }
    if (info.domain() != "global") continue;
    if (const auto at = more.find("location"); at != more.end()) {
      shown.location = at->second;
    }
    if (const auto at = more.find("locationType"); at != more.end()) {
      shown.location_type = at->second;
    }
  }
  if (status.code() == absl::StatusCode::kUnauthenticated) {
    // Storage's own words; clients look for them to renew a token.
    shown.message = "Invalid Credentials";
    shown.location_type = "header";
    shown.location = "Authorization";
  }
  if (shown.code >= 500) {
    base::Log(base::LogLevel::kError, "storage", "call failed",
              {{"error", status.ToString()}});
  }
  return shown;
}

void AddChallenge(int code, Response& response) {
  if (code != 401) return;
  response.headers.Add("WWW-Authenticate",
                       "Bearer realm=\"https://accounts.google.com/\", "
                       "error=invalid_token");
}

}  // namespace

Response Reply(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", "application/json; charset=UTF-8");
  response.headers.Add("Vary", "Origin, X-Origin");
  response.headers.Add("Cache-Control",
                       "no-cache, no-store, max-age=0, must-revalidate");
  response.body = std::move(body);
  return response;
}

Response EmptyReply(int status) {
  Response response;
  response.status = status;
  response.body = std::string();
  return response;
}

Response ErrorReply(const absl::Status& status) {
  if (services::storage::IsNotModified(status)) return EmptyReply(304);
  const Shown shown = Show(status);
  JsonText out(true);
  out.BeginObject();
  out.Key("error");
  out.BeginObject();
  out.Key("code");
  out.Number(shown.code);
  out.Key("message");
  out.String(shown.message);
  out.Key("errors");
  out.BeginArray();
  out.Element();
  out.BeginObject();
  out.Key("message");
  out.String(shown.message);
  out.Key("domain");
  out.String("global");
  out.Key("reason");
  out.String(shown.reason);
  if (!shown.location.empty()) {
    out.Key("locationType");
    out.String(shown.location_type);
    out.Key("location");
    out.String(shown.location);
  }
  out.EndObject();
  out.EndArray();
  out.EndObject();
  out.EndObject();
  Response response = Reply(shown.code, out.Take());
  AddChallenge(shown.code, response);
  return response;
}

Response MediaErrorReply(const absl::Status& status) {
  if (services::storage::IsNotModified(status)) return EmptyReply(304);
  const Shown shown = Show(status);
  Response response;
  response.status = shown.code;
  response.headers.Add("Content-Type", "text/html; charset=UTF-8");
  response.headers.Add("Cache-Control", "private, max-age=0");
  AddChallenge(shown.code, response);
  response.body = shown.message;
  return response;
}

Response XmlRefusal(std::string_view resource) {
  std::string shown;
  for (const char c : resource) {
    switch (c) {
      case '<':
        shown += "&lt;";
        break;
      case '>':
        shown += "&gt;";
        break;
      case '&':
        shown += "&amp;";
        break;
      default:
        shown.push_back(c);
    }
  }
  Response response;
  response.status = 400;
  response.headers.Add("Content-Type", "application/xml; charset=UTF-8");
  response.body = base::StrCat(
      "<?xml version='1.0' encoding='UTF-8'?><Error>"
      "<Code>METHOD_NOT_SERVED</Code><Message>Brume does not serve Cloud "
      "Storage's XML API; use the JSON API.</Message><Details>",
      shown, "</Details></Error>");
  return response;
}

absl::Status NotFoundPath() {
  return services::WithReason(absl::NotFoundError("Not Found"), "notFound",
                              "global");
}

}  // namespace brume::api::storage
