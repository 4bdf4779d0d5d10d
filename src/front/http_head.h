#pragma once

#include "api/wire.h"
#include "front/http_session.h"

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/system/error_code.hpp>

#include <string>
#include <string_view>
#include <variant>

// The heads of HTTP/1.1 messages: from Beast's request to the API's, and from
// the API's reply to bytes. Pure functions.
namespace brume::front {

// The API's head, or the refusal: a Host that is neither loopback nor served
// nor allowed (403), none at all (400), a foreign Origin (403: web pages must
// not reach us).
std::variant<api::Response, api::RequestHead> MakeRequestHead(
    const boost::beast::http::request<boost::beast::http::buffer_body>& request,
    const HttpPeer& peer, bool plain);

// A reply of ours in Google's error shape.
api::Response ErrorResponse(int status, std::string_view message);
// For what Beast's parser refused: 431 for an over-long head, else 400.
api::Response HeadError(boost::system::error_code error);

bool ExpectsContinue(const api::Headers& headers);
// 1xx, 204 and 304 have no body (RFC 9110, 6.4.1).
bool MayHaveBody(int status);

// Status line and fields, with Date, framing and Connection.
std::string FormatHead(const api::Response& response, bool keep_alive,
                       bool is_head);
// One chunk of chunked coding; the last one for empty `bytes`.
std::string FormatChunk(std::string_view bytes);

}  // namespace brume::front
