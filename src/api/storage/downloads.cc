#include "api/storage/downloads.h"

#include "api/storage/content_range.h"
#include "api/storage/errors.h"
#include "api/storage/gunzip_source.h"
#include "api/storage/resources.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/match.h>

#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

namespace brume::api::storage {
namespace {

using brume::storage::Object;
using services::storage::OpenedObject;

// RFC 9110, 5.6.7. By hand: each download has one, and general formatters are
// slow.
std::string HttpDate(const google::protobuf::Timestamp& time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed",
                                          "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr",
                                            "May", "Jun", "Jul", "Aug",
                                            "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = time.seconds();
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const int size = std::snprintf(
      text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
      kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon],
      parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return std::string(text, static_cast<size_t>(size));
}

bool TakesGzip(const Headers& headers) {
  for (const std::string_view value : headers.GetAll("accept-encoding")) {
    if (absl::StrContains(base::ToAbsl(value), "gzip") ||
        absl::StrContains(base::ToAbsl(value), "*")) {
      return true;
    }
  }
  return false;
}

void AddHeaders(const Object& object, Headers& headers) {
  headers.Add("Content-Type", object.content_type().empty()
                                  ? "application/octet-stream"
                                  : object.content_type());
  if (object.has_content_disposition()) {
    headers.Add("Content-Disposition", object.content_disposition());
  }
  if (object.has_content_language()) {
    headers.Add("Content-Language", object.content_language());
  }
  headers.Add("Cache-Control",
              object.cache_control().empty()
                  ? "no-cache, no-store, max-age=0, must-revalidate"
                  : object.cache_control());
  headers.Add("ETag", ObjectEtag(object));
  headers.Add("Last-Modified", HttpDate(object.updated()));
  headers.Add("X-Goog-Generation", base::StrCat(object.generation()));
  headers.Add("X-Goog-Metageneration", base::StrCat(object.metageneration()));
  headers.Add("X-Goog-Storage-Class", object.storage_class());
  std::string hash = base::StrCat("crc32c=", object.crc32c());
  if (object.has_md5_hash()) hash += ",md5=" + object.md5_hash();
  headers.Add("X-Goog-Hash", hash);
  headers.Add("X-Goog-Stored-Content-Encoding",
              object.content_encoding().empty() ? "identity"
                                                : object.content_encoding());
  headers.Add("X-Goog-Stored-Content-Length", base::StrCat(object.size()));
  if (object.has_component_count()) {
    headers.Add("X-Goog-Component-Count",
                base::StrCat(object.component_count()));
  }
  if (object.has_customer_encryption()) {
    headers.Add("X-Goog-Encryption-Algorithm", "AES256");
    headers.Add("X-Goog-Encryption-Key-Sha256",
                object.customer_encryption().key_sha256());
  }
}

absl::StatusOr<Response> Respond(const Services& services,
                                 const Request& request) {
  const Headers& asked = request.head.headers;
  ASSIGN_OR_RETURN(const int64_t generation, request.Generation());
  ASSIGN_OR_RETURN(const auto conditions, request.Conditions());
  ASSIGN_OR_RETURN(const auto key, CustomerKey(asked));
  ASSIGN_OR_RETURN(
      OpenedObject opened,
      services.objects->Open(request.route.bucket, request.route.object,
                             generation, conditions));
  const Object& object = opened.object;
  RETURN_IF_ERROR(CheckCustomerKey(object, key));

  Response response;
  AddHeaders(object, response.headers);
  const bool no_transform =
      absl::StrContains(object.cache_control(), "no-transform");
  if (object.content_encoding() == "gzip" && !TakesGzip(asked) &&
      !no_transform) {
    // Ranges are of what is stored, and ignored here.
    response.headers.Add("Warning", "214 UploadServer gunzipped");
    response.headers.Add("Vary", "Accept-Encoding");
    response.body = GunzipObject(std::move(opened));
    return response;
  }
  if (!object.content_encoding().empty()) {
    response.headers.Add("Content-Encoding", object.content_encoding());
  }
  response.headers.Add("Accept-Ranges", "bytes");
  const uint64_t size = object.size();
  ByteRange range{0, size};
  switch (ParseRange(asked.Get("range"), size, range)) {
    case RangeKind::kNone:
      break;
    case RangeKind::kPart:
      response.status = 206;
      response.headers.Add(
          "Content-Range",
          base::StrCat("bytes ", range.offset, "-",
                       range.offset + range.length - 1, "/", size));
      break;
    case RangeKind::kUnsatisfiable: {
      Response refused = MediaErrorReply(
          absl::OutOfRangeError("The requested range cannot be satisfied."));
      refused.status = 416;
      refused.headers.Add("Content-Range", base::StrCat("bytes */", size));
      return refused;
    }
  }
  if (opened.file) {
    response.body =
        FileSlice{std::move(opened.file->fd), range.offset, range.length};
  } else if (range.length == size) {
    response.body = std::move(opened.bytes);
  } else {
    response.body = opened.bytes.substr(range.offset, range.length);
  }
  return response;
}

}  // namespace

Response Download(const Services& services, const Request& request) {
  absl::StatusOr<Response> response = Respond(services, request);
  return response.ok() ? *std::move(response)
                       : MediaErrorReply(response.status());
}

}  // namespace brume::api::storage
