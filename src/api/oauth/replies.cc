#include "api/oauth/replies.h"

#include "api/http_error.h"
#include "services/errors/errors.h"
#include "services/oauth/oauth_errors.h"

#include <absl/strings/numbers.h>
#include <google/rpc/error_details.pb.h>

namespace brume::api::oauth {
namespace {

Response Uncached(int status, const boost::json::object& body) {
  Response response = JsonResponse(status, body);
  response.headers.Set("Cache-Control",
                       "no-cache, no-store, max-age=0, must-revalidate");
  response.headers.Set("Pragma", "no-cache");
  return response;
}

}  // namespace

Response Reply(const boost::json::object& body) { return Uncached(200, body); }

Response ErrorReply(const absl::Status& status) {
  boost::json::object body;
  google::rpc::ErrorInfo info;
  for (const google::protobuf::Any& detail : services::DetailsOf(status)) {
    if (!detail.UnpackTo(&info)) continue;
    if (info.domain() != services::oauth::kErrorDomain) continue;
    int http_status = 400;
    const auto said = info.metadata().find("httpStatus");
    if (said != info.metadata().end() &&
        !absl::SimpleAtoi(said->second, &http_status)) {
      http_status = 400;
    }
    body["error"] = info.reason();
    body["error_description"] =
        std::string(status.message().data(), status.message().size());
    return Uncached(http_status, body);
  }
  body["error"] = "internal_failure";
  body["error_description"] =
      std::string(status.message().data(), status.message().size());
  return Uncached(HttpStatusOf(status.code()), body);
}

}  // namespace brume::api::oauth
