#include "front/http_head.h"

#include "base/str_cat.h"
#include "front/served_hosts.h"

#include <absl/strings/match.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <cstdio>

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

std::variant<api::Response, api::RequestHead> MakeRequestHead(
    const http::request<http::buffer_body>& request, const HttpPeer& peer,
    bool plain) {
  api::RequestHead head;
  head.method = std::string(View(request.method_string()));
  head.target = std::string(View(request.target()));
  head.origin = peer.origin;
  head.origin.tls = !plain;
  for (const auto& field : request) {
    head.headers.Add(std::string(View(field.name_string())),
                     std::string(View(field.value())));
  }
  const auto host_fields = head.headers.GetAll("host");
  if (host_fields.size() > 1) {
    return ErrorResponse(400, "the request has several Host fields");
  }
  std::string authority =
      host_fields.empty() ? std::string() : std::string(host_fields[0]);
  if (head.target.empty() || head.target[0] != '/') {
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
  const std::string named = CanonicalHost(authority);
  if (!peer.host.empty()) {
    // SNI or CONNECT has chosen; within Storage the Host may name the bucket.
    head.host = peer.host;
    head.base_url = base::StrCat(plain ? "http://" : "https://",
                                 authority.empty() ? peer.host : authority);
  } else if (IsServedHost(named)) {
    head.host = named;
    head.base_url = base::StrCat(plain ? "http://" : "https://", authority);
  } else if (IsLoopbackHost(named) || Allowed(named, peer)) {
    head.base_url = base::StrCat(plain ? "http://" : "https://", authority);
  } else {
    return ErrorResponse(
        403,
        base::StrCat("host '", named,
                     "' is not served here; start Brume with --allow-host ",
                     named, " to be reached under that name"));
  }
  if (const auto origin = head.headers.Get("origin")) {
    std::string origin_authority;
    std::string ignored;
    const bool parsed = SplitAbsolute(*origin, &origin_authority, &ignored);
    const std::string from = CanonicalHost(origin_authority);
    // Not served names either: a page may be stored in a bucket.
    if (!parsed || !(IsLoopbackHost(from) || Allowed(from, peer))) {
      return ErrorResponse(403,
                           base::StrCat("requests of web pages are refused: "
                                        "Origin '",
                                        *origin, "'"));
    }
  }
  return head;
}

bool ExpectsContinue(const api::Headers& headers) {
  const auto value = headers.Get("expect");
  return value && absl::EqualsIgnoreCase(base::ToAbsl(*value), "100-continue");
}

bool MayHaveBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string FormatHead(const api::Response& response, bool keep_alive,
                       bool is_head) {
  std::string out = base::StrCat(
      "HTTP/1.1 ", response.status, " ",
      View(http::obsolete_reason(static_cast<http::status>(response.status))),
      "\r\n");
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.append(name);
    out.append(": ");
    // A value can come from what a user stored; it must not end the field.
    for (char c : value) {
      if (c != '\r' && c != '\n' && c != '\0') out.push_back(c);
    }
    out.append("\r\n");
  };
  for (const auto& [name, value] : response.headers.fields()) {
    add(name, value);
  }
  add("Date", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(),
                               absl::UTCTimeZone()));
  if (MayHaveBody(response.status)) {
    if (const auto* text = std::get_if<std::string>(&response.body)) {
      if (!is_head || !response.headers.Has("content-length")) {
        add("Content-Length", std::to_string(text->size()));
      }
    } else if (const auto* slice =
                   std::get_if<api::FileSlice>(&response.body)) {
      add("Content-Length", std::to_string(slice->length));
    } else {
      add("Transfer-Encoding", "chunked");
    }
  }
  if (!keep_alive) add("Connection", "close");
  out.append("\r\n");
  return out;
}

std::string FormatChunk(std::string_view bytes) {
  if (bytes.empty()) return "0\r\n\r\n";
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return base::StrCat(size, bytes, "\r\n");
}

}  // namespace brume::front
