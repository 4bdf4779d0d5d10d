#include "api/storage/batch.h"

#include "api/storage/errors.h"
#include "api/storage/multipart.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <optional>
#include <utility>

namespace brume::api::storage {
namespace {

using services::storage::BadRequest;

constexpr size_t kMostParts = 1000;

absl::Status BadPart(size_t number, std::string_view what) {
  return BadRequest("badRequest",
                    base::StrCat("Failed to parse batch request: part ", number,
                                 ": ", what, "."));
}

// "https://host/path?query" or "/path?query".
std::optional<std::string> OriginForm(std::string_view target) {
  if (!target.empty() && target.front() == '/') return std::string(target);
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const size_t path = target.find('/', scheme + 3);
  if (path == std::string_view::npos) return std::nullopt;
  return std::string(target.substr(path));
}

// An HTTP request as a part holds it: request line, headers, an empty line,
// perhaps a body; with LF or CRLF.
absl::Status ParseCall(std::string_view text, size_t number, BatchPart& part) {
  // Clients put empty lines before it.
  while (!text.empty() && (text.front() == '\r' || text.front() == '\n')) {
    text.remove_prefix(1);
  }
  const size_t line_end = text.find('\n');
  std::string_view line = text.substr(0, line_end);
  text = line_end == std::string_view::npos ? "" : text.substr(line_end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) {
    return BadPart(number, "it has no request line");
  }
  part.head.method = std::string(line.substr(0, space));
  std::string_view target = line.substr(space + 1);
  target = target.substr(0, target.find(' '));
  std::optional<std::string> origin = OriginForm(target);
  if (!origin) return BadPart(number, "its URL is malformed");
  part.head.target = *std::move(origin);

  size_t at = 0;
  size_t headers_end = text.size();
  size_t body = text.size();
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    const size_t next = end == std::string_view::npos ? text.size() : end + 1;
    std::string_view header = text.substr(at, next - at);
    if (header == "\n" || header == "\r\n") {
      headers_end = at;
      body = next;
      break;
    }
    at = next;
  }
  const PartHeaders headers = PartHeaders::Parse(text.substr(0, headers_end));
  for (const auto& [name, value] : headers.fields()) {
    part.head.headers.Add(name, value);
  }
  std::string_view rest = text.substr(body);
  // Line ends after a body are the part's, not the call's.
  while (!rest.empty() && (rest.back() == '\r' || rest.back() == '\n')) {
    rest.remove_suffix(1);
  }
  part.body = std::string(rest);
  return absl::OkStatus();
}

std::string_view Phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 429:
      return "Too Many Requests";
    default:
      return status < 500 ? "Error" : "Internal Server Error";
  }
}

}  // namespace

absl::StatusOr<std::vector<BatchPart>> ParseBatch(std::string_view content_type,
                                                  std::string_view body) {
  std::optional<std::string> boundary = BoundaryOf(content_type);
  if (!boundary) {
    return BadRequest("badRequest",
                      "Failed to parse batch request: Content-Type must be "
                      "multipart/mixed with a boundary.");
  }
  std::vector<BatchPart> parts;
  std::string text;
  MultipartReader reader(
      *std::move(boundary),
      {.begin_part = [&](const PartHeaders& headers) -> absl::Status {
         if (parts.size() == kMostParts) {
           return BadRequest("badRequest",
                             "The batch request has more than 1000 calls.");
         }
         parts.emplace_back();
         parts.back().content_id = std::string(headers.Get("content-id"));
         text.clear();
         return absl::OkStatus();
       },
       .data =
           [&](std::string_view bytes) {
             text.append(bytes);
             return absl::OkStatus();
           },
       .end_part =
           [&] { return ParseCall(text, parts.size(), parts.back()); }});
  RETURN_IF_ERROR(reader.Write(body));
  RETURN_IF_ERROR(reader.Finish());
  if (parts.empty()) {
    return BadRequest("badRequest",
                      "Failed to parse batch request: it holds no calls.");
  }
  return parts;
}

Response BatchReply(const std::vector<BatchPart>& parts,
                    const std::function<Response(const BatchPart&)>& call) {
  const std::string boundary = base::StrCat("batch_", base::RandomHex(32));
  std::string out;
  for (const BatchPart& part : parts) {
    Response reply = call(part);
    const std::string* body = std::get_if<std::string>(&reply.body);
    base::StrAppend(&out, "--", boundary,
                    "\r\nContent-Type: application/http\r\n");
    if (!part.content_id.empty()) {
      // "<id>" becomes "<response-id>".
      std::string_view id = part.content_id;
      const bool angled = id.size() > 1 && id.front() == '<';
      if (angled) id.remove_prefix(1);
      base::StrAppend(&out, "Content-ID: ", angled ? "<" : "", "response-", id,
                      "\r\n");
    }
    base::StrAppend(&out, "\r\nHTTP/1.1 ", reply.status, " ",
                    Phrase(reply.status), "\r\n");
    for (const auto& [name, value] : reply.headers.fields()) {
      base::StrAppend(&out, name, ": ", value, "\r\n");
    }
    base::StrAppend(&out, "Content-Length: ", body ? body->size() : 0,
                    "\r\n\r\n");
    if (body != nullptr) out += *body;
    out += "\r\n";
  }
  base::StrAppend(&out, "--", boundary, "--\r\n");
  Response response;
  response.headers.Add("Content-Type",
                       base::StrCat("multipart/mixed; boundary=", boundary));
  response.body = std::move(out);
  return response;
}

}  // namespace brume::api::storage
