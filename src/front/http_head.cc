#include "front/http_head.h"

#include "base/str_cat.h"
#include "front/served_hosts.h"

#include <absl/strings/match.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

namespace brume::front {
namespace {

namespace http = boost::beast::http;

std::string_view View(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::string_view CanonicalCode(int status) {
  switch (status) {
    case 400:
      return "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    default:
      return status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

std::string JsonEscape(std::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c >= 0x20 && c < 0x7f) {
      out.push_back(static_cast<char>(c));
    } else {
      out.push_back('?');
    }
  }
  return out;
}

std::string_view ReasonOf(const api::Response& response) {
  // What Storage says of an unfinished upload.
  if (response.status == 308 && !response.headers.Has("location")) {
    return "Resume Incomplete";
  }
  return View(
      http::obsolete_reason(static_cast<http::status>(response.status)));
}

bool Allowed(std::string_view host, const HttpPeer& peer) {
  return peer.allowed_hosts != nullptr &&
         std::find(peer.allowed_hosts->begin(), peer.allowed_hosts->end(),
                   host) != peer.allowed_hosts->end();
}

// "http://a.googleapis.com:80/x?y" -> authority and origin-form target.
bool SplitAbsolute(std::string_view target, std::string* authority,
                   std::string* path) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.substr(0, scheme.size()) != scheme) continue;
    target.remove_prefix(scheme.size());
    const size_t slash = target.find_first_of("/?");
    *authority = std::string(target.substr(0, slash));
    *path = slash == std::string_view::npos ? "/"
                                            : std::string(target.substr(slash));
    if ((*path)[0] == '?') path->insert(0, "/");
    return true;
  }
  return false;
}

}  // namespace

api::Response ErrorResponse(int status, std::string_view message) {
  api::Response response;
  response.status = status;
  response.headers.Add("Content-Type", "application/json; charset=UTF-8");
  response.body = base::StrCat("{\n  \"error\": {\n    \"code\": ", status,
                               ",\n    \"message\": \"", JsonEscape(message),
                               "\",\n    \"status\": \"", CanonicalCode(status),
                               "\"\n  }\n}\n");
  return response;
}

api::Response HeadError(boost::system::error_code error) {
  if (error == http::error::header_limit) {
    return ErrorResponse(431, "request header fields are too large");
  }
  return ErrorResponse(
      400, base::StrCat("malformed HTTP request: ", error.message()));
}

namespace {

// Fields about the connection to us, not about the request (RFC 9110, 7.6.1).
bool IsHopByHop(std::string_view name) {
  for (const char* hop :
       {"connection", "proxy-connection", "proxy-authorization", "keep-alive",
        "upgrade", "te"}) {
    if (absl::EqualsIgnoreCase(base::ToAbsl(name), hop)) return true;
  }
  return false;
}

uint16_t PortOf(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos ||
      authority.find(']', colon) != std::string_view::npos) {
    return 80;
  }
  uint16_t port = 0;
  const std::string_view digits = authority.substr(colon + 1);
  const auto parsed =
      std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return parsed.ec == std::errc() ? port : 0;
}

std::optional<api::Response> CheckFraming(
    const http::request<http::buffer_body>& request,
    const api::Headers& headers) {
  // Two readings of where a body ends are how requests are smuggled past
  // whoever checks them.
  const auto lengths = headers.GetAll("content-length");
  if (lengths.size() > 1 ||
      (lengths.size() == 1 && lengths[0].find(',') != std::string_view::npos)) {
    return ErrorResponse(400, "the request has several Content-Length fields");
  }
  const auto codings = headers.GetAll("transfer-encoding");
  if (codings.empty()) return std::nullopt;
  if (!lengths.empty() || request.version() < 11) {
    return ErrorResponse(400, "the request has an unclear Transfer-Encoding");
  }
  if (codings.size() > 1 ||
      !absl::EqualsIgnoreCase(base::ToAbsl(codings[0]), "chunked")) {
    return ErrorResponse(501, base::StrCat("Transfer-Encoding '", codings[0],
                                           "' is not supported"));
  }
  return std::nullopt;
}

std::optional<api::Response> CheckOrigin(const api::Headers& headers,
                                         const HttpPeer& peer) {
  const auto origin = headers.Get("origin");
  if (!origin) return std::nullopt;
  std::string authority;
  std::string ignored;
  const bool parsed = SplitAbsolute(*origin, &authority, &ignored);
  const std::string from = CanonicalHost(authority);
  // Not served names either: a page may be stored in a bucket.
  if (parsed && (IsLoopbackHost(from) || Allowed(from, peer))) {
    return std::nullopt;
  }
  return ErrorResponse(
      403, base::StrCat("requests of web pages are refused: Origin '", *origin,
                        "'"));
}

}  // namespace

std::variant<api::Response, api::RequestHead, ForeignRequest> RouteRequest(
    const http::request<http::buffer_body>& request, const HttpPeer& peer,
    bool plain) {
  using Via = api::Origin::Via;
  api::RequestHead head;
  head.method = std::string(View(request.method_string()));
  head.target = std::string(View(request.target()));
  head.origin = peer.origin;
  head.origin.tls = !plain;
  api::Headers all;
  for (const auto& field : request) {
    const std::string_view name = View(field.name_string());
    std::string value(View(field.value()));
    if (!IsHopByHop(name)) head.headers.Add(std::string(name), value);
    all.Add(std::string(name), std::move(value));
  }
  if (auto refusal = CheckFraming(request, all)) return *std::move(refusal);
  const auto host_fields = all.GetAll("host");
  if (host_fields.size() > 1) {
    return ErrorResponse(400, "the request has several Host fields");
  }
  std::string authority =
      host_fields.empty() ? std::string() : std::string(host_fields[0]);
  const bool absolute = head.target.empty() || head.target[0] != '/';
  if (absolute) {
    std::string path;
    if (head.target == "*" && head.method == "OPTIONS") {
      path = "*";
    } else if (!SplitAbsolute(head.target, &authority, &path)) {
      return ErrorResponse(
          400, base::StrCat("malformed request target '", head.target, "'"));
    }
    head.target = path;
  }
  if (authority.empty() && peer.host.empty()) {
    return ErrorResponse(400, "the request has no Host field");
  }
  const std::string_view scheme = plain ? "http://" : "https://";
  const std::string named = CanonicalHost(authority);
  if (peer.origin.via == Via::kMetadata) {
    // A name of a web page's that leads here (DNS rebinding) is none of these.
    if (!IsMetadataHost(named) && !IsLoopbackHost(named)) {
      return ErrorResponse(
          403, base::StrCat("host '", named, "' is not the metadata server"));
    }
    head.host = "metadata.google.internal";
    head.base_url = "http://metadata.google.internal";
  } else if (!peer.host.empty()) {
    // SNI or CONNECT has chosen; within Storage the Host may name the bucket.
    head.host = peer.host;
    head.base_url =
        base::StrCat(scheme, authority.empty() ? peer.host : authority);
  } else if (IsServedHost(named)) {
    head.host = named;
    head.base_url = base::StrCat(scheme, authority);
    if (absolute && peer.origin.via == Via::kDirect) {
      head.origin.via = Via::kProxy;
    }
  } else if (IsLoopbackHost(named) || Allowed(named, peer)) {
    head.base_url = base::StrCat(scheme, authority);
  } else if (plain && head.target != "*" &&
             (absolute || peer.origin.via == Via::kSealed)) {
    if (View(request.target()).substr(0, 8) == "https://") {
      return ErrorResponse(400, "https requests pass a proxy by CONNECT");
    }
    const uint16_t port = PortOf(authority);
    if (!IsHostText(named) || port == 0) {
      return ErrorResponse(400,
                           base::StrCat("malformed host '", authority, "'"));
    }
    return ForeignRequest{named,
                          port,
                          std::move(authority),
                          std::move(head.method),
                          std::move(head.target),
                          std::move(head.headers)};
  } else {
    return ErrorResponse(
        403,
        base::StrCat("host '", named,
                     "' is not served here; start Brume with --allow-host ",
                     named, " to be reached under that name"));
  }
  if (IsMetadataHost(head.host)) head.host = "metadata.google.internal";
  if (auto refusal = CheckOrigin(all, peer)) return *std::move(refusal);
  return head;
}

bool ExpectsContinue(const api::Headers& headers) {
  const auto value = headers.Get("expect");
  return value && absl::EqualsIgnoreCase(base::ToAbsl(*value), "100-continue");
}

bool MayHaveBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string FormatHead(const api::Response& response,
                       const HeadFormat& format) {
  std::string out;
  const auto append_text = [&out](std::string_view text) {
    // It can come from what a user stored; it must not end the line.
    for (char c : text) {
      if (c != '\r' && c != '\n' && c != '\0') out.push_back(c);
    }
  };
  base::StrAppend(&out, "HTTP/1.1 ", response.status, " ");
  append_text(format.reason.empty() ? ReasonOf(response) : format.reason);
  out.append("\r\n");
  const auto add = [&out, &append_text](std::string_view name,
                                        std::string_view value) {
    append_text(name);
    out.append(": ");
    append_text(value);
    out.append("\r\n");
  };
  bool has_length = false;
  for (const auto& [name, value] : response.headers.fields()) {
    if (IsHopByHop(name) || absl::EqualsIgnoreCase(name, "transfer-encoding")) {
      continue;
    }
    if (absl::EqualsIgnoreCase(name, "content-length")) {
      // Only the reply to HEAD may state a length that its body has not.
      if (!format.is_head) continue;
      has_length = true;
    }
    add(name, value);
  }
  add("Date", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(),
                               absl::UTCTimeZone()));
  if (MayHaveBody(response.status) && !has_length) {
    if (const auto* text = std::get_if<std::string>(&response.body)) {
      add("Content-Length", std::to_string(text->size()));
    } else if (const auto* slice =
                   std::get_if<api::FileSlice>(&response.body)) {
      add("Content-Length", std::to_string(slice->length));
    } else if (!format.http10) {
      add("Transfer-Encoding", "chunked");
    }
  }
  if (!format.keep_alive) {
    add("Connection", "close");
  } else if (format.http10) {
    add("Connection", "keep-alive");
  }
  out.append("\r\n");
  return out;
}

api::Response ToResponse(const Refusal& refusal) {
  api::Response response = ErrorResponse(refusal.status, refusal.message);
  if (refusal.status == 407) {
    response.headers.Add("Proxy-Authenticate", "Basic realm=\"brume\"");
  }
  return response;
}

std::string FormatRefusal(const Refusal& refusal) {
  const api::Response response = ToResponse(refusal);
  HeadFormat format;
  format.reason = refusal.message;
  return FormatHead(response, format) + std::get<std::string>(response.body);
}

std::string FormatChunk(std::string_view bytes) {
  if (bytes.empty()) return "0\r\n\r\n";
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return base::StrCat(size, bytes, "\r\n");
}

}  // namespace brume::front
