#include "client/google_api.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "client/json_fields.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace brume::client {
namespace {

namespace json = boost::json;

absl::StatusCode CodeOfHttp(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kAlreadyExists;
    case 412:
      return absl::StatusCode::kFailedPrecondition;
    case 416:
      return absl::StatusCode::kOutOfRange;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    case 499:
      return absl::StatusCode::kCancelled;
    case 501:
      return absl::StatusCode::kUnimplemented;
    case 503:
      return absl::StatusCode::kUnavailable;
    case 504:
      return absl::StatusCode::kDeadlineExceeded;
    default:
      return status >= 500 ? absl::StatusCode::kInternal
                           : absl::StatusCode::kUnknown;
  }
}

std::optional<absl::StatusCode> CodeNamed(std::string_view name) {
  for (int i = 1; i <= 16; ++i) {
    const auto code = static_cast<absl::StatusCode>(i);
    if (absl::StatusCodeToString(code) == name) return code;
  }
  return std::nullopt;
}

bool IsRead(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

absl::StatusOr<json::value> ParseBody(const HttpReply& reply) {
  if (reply.body.empty()) return json::value(json::object());
  boost::system::error_code error;
  json::value value = json::parse(reply.body, error);
  if (error) return absl::InternalError("read reply: it is no JSON");
  return value;
}

}  // namespace

absl::Status StatusOf(const HttpReply& reply) {
  absl::StatusCode code = CodeOfHttp(reply.status);
  std::string message;
  boost::system::error_code error;
  const json::value body = json::parse(reply.body, error);
  const json::value* inner = error ? nullptr : Field(body, "error");
  if (inner != nullptr) {
    message = TextField(*inner, "message");
    code = CodeNamed(TextField(*inner, "status")).value_or(code);
  }
  if (message.empty()) message = reply.body.substr(0, 200);
  if (message.empty()) message = base::StrCat("status ", reply.status);
  return absl::Status(code, message);
}

bool IsTransient(const HttpReply& reply) {
  return reply.status == 408 || reply.status == 429 || reply.status == 500 ||
         reply.status == 502 || reply.status == 503 || reply.status == 504;
}

absl::Duration GoogleApi::DelayBefore(int attempt) {
  if (attempt <= 1) return absl::ZeroDuration();
  return std::min(absl::Milliseconds(500) * (1 << std::min(attempt - 2, 6)),
                  absl::Seconds(32));
}

absl::StatusOr<HttpReply> GoogleApi::Send(HttpRequest request,
                                          const BodyWriter& writer) {
  const size_t fields = request.headers.size();
  for (bool again = false;; again = true) {
    request.headers.resize(fields);
    if (options_.credentials != nullptr) {
      ASSIGN_OR_RETURN(const std::string token, options_.credentials->Token());
      request.headers.emplace_back("Authorization",
                                   base::StrCat("Bearer ", token));
    }
    ASSIGN_OR_RETURN(HttpReply reply, options_.http->Send(request, writer));
    const bool renew = reply.status == 401 && !again &&
                       options_.credentials != nullptr &&
                       request.reader == nullptr;
    if (!renew) return reply;
    options_.credentials->Forget();
  }
}

absl::StatusOr<json::value> GoogleApi::Call(
    std::string_view method, const std::string& url,
    const std::optional<json::value>& body) {
  HttpRequest request{.method = std::string(method)};
  ASSIGN_OR_RETURN(request.url, ParseUrl(url));
  if (body.has_value()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = json::serialize(*body);
  }
  absl::Status last;
  for (int attempt = 1; attempt <= options_.attempts; ++attempt) {
    if (attempt > 1) options_.sleep(DelayBefore(attempt));
    const absl::StatusOr<HttpReply> reply = Send(request);
    if (!reply.ok()) {
      last = reply.status();
      const bool again = absl::IsUnavailable(last) && IsRead(method);
      if (!again) return last;
      continue;
    }
    if (reply->status / 100 == 2) return ParseBody(*reply);
    last = StatusOf(*reply);
    const bool unseen = reply->status == 429 || reply->status == 503;
    if (!(unseen || (IsRead(method) && IsTransient(*reply)))) return last;
  }
  return last;
}

absl::Status GoogleApi::Pages(
    const std::string& url,
    const std::function<absl::StatusOr<bool>(const json::value&)>& visit) {
  std::string token;
  do {
    std::string page = url;
    if (!token.empty()) {
      base::StrAppend(&page, url.find('?') == url.npos ? "?" : "&",
                      "pageToken=", base::PercentEncode(token));
    }
    ASSIGN_OR_RETURN(const json::value reply, Call("GET", page));
    ASSIGN_OR_RETURN(const bool go_on, visit(reply));
    if (!go_on) return absl::OkStatus();
    token = TextField(reply, "nextPageToken");
  } while (!token.empty());
  return absl::OkStatus();
}

absl::StatusOr<json::value> GoogleApi::WaitOperation(
    const std::string& base_url, json::value operation, absl::Duration limit) {
  const std::string name = TextField(operation, "name");
  absl::Duration waited;
  absl::Duration pause = absl::Milliseconds(100);
  while (!FlagField(operation, "done")) {
    if (waited > limit) {
      return absl::DeadlineExceededError(
          base::StrCat("wait for operation '", name, "': it is not done after ",
                       absl::FormatDuration(limit)));
    }
    options_.sleep(pause);
    waited += pause;
    pause = std::min(pause * 1.5, absl::Seconds(10));
    ASSIGN_OR_RETURN(operation, Call("GET", base_url + name));
  }
  if (const json::value* error = Field(operation, "error"); error != nullptr) {
    return absl::Status(
        static_cast<absl::StatusCode>(NumberField(*error, "code")),
        TextField(*error, "message"));
  }
  const json::value* response = Field(operation, "response");
  return response == nullptr ? json::value(json::object()) : *response;
}

}  // namespace brume::client
