#pragma once

#include "api/wire.h"

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The heads of HTTP/1.1 messages: from Beast's request to the API's, and from
// the API's reply to bytes. Pure functions.
namespace brume::front {

// What a connection has been decided to be about, before its first request.
struct HttpPeer {
  api::Origin origin;
  // The served name from SNI or CONNECT; empty when each request's Host or
  // absolute-form tells.
  std::string host;
  // For a request that names no served host: Host must be loopback or one of
  // these. Lower case, no port.
  const std::vector<std::string>* allowed_hosts = nullptr;
  // Foreign hosts are refused.
  bool offline = false;
};

// A request for a host that we do not answer for, to be passed on: in
// absolute-form (a plain-HTTP proxy's request), or on a sealed namespace's
// port 80.
struct ForeignRequest {
  std::string host;  // canonical
  uint16_t port = 80;
  std::string authority;  // as the client wrote it
  std::string method;
  std::string target;    // origin-form
  api::Headers headers;  // without those that concern this connection only
};

// The API's head, a request to pass on, or the refusal: a Host that is neither
// loopback nor served nor allowed (403), none at all (400), a foreign Origin
// (403: web pages must not reach us), unclear framing (400, 501).
std::variant<api::Response, api::RequestHead, ForeignRequest> RouteRequest(
    const boost::beast::http::request<boost::beast::http::buffer_body>& request,
    const HttpPeer& peer, bool plain);

// A reply of ours in Google's error shape.
api::Response ErrorResponse(int status, std::string_view message);
// For what Beast's parser refused: 431 for an over-long head, else 400.
api::Response HeadError(boost::system::error_code error);

bool ExpectsContinue(const api::Headers& headers);
// 1xx, 204 and 304 have no body (RFC 9110, 6.4.1).
bool MayHaveBody(int status);

struct HeadFormat {
  bool keep_alive = false;
  bool is_head = false;
  // An HTTP/1.0 client knows no chunks: such a body ends with the connection.
  bool http10 = false;
  // In place of the status's usual phrase. Clients show it where they do not
  // show the body: for refusals of CONNECT.
  std::string_view reason = {};
};

// Status line and fields, with Date, framing and Connection.
std::string FormatHead(const api::Response& response, const HeadFormat& format);
// One chunk of chunked coding; the last one for empty `bytes`.
std::string FormatChunk(std::string_view bytes);

// Why something does not pass the proxy: 407 asks for credentials.
struct Refusal {
  int status = 403;
  std::string message;
};
api::Response ToResponse(const Refusal& refusal);
// The whole reply to a CONNECT, with the message as reason phrase too; then the
// connection closes.
std::string FormatRefusal(const Refusal& refusal);

}  // namespace brume::front
