#include "front/http_request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <cstdint>

namespace brume::front {

namespace http = boost::beast::http;

RequestParser::RequestParser(size_t header_bytes) {
  parser_.header_limit(static_cast<uint32_t>(header_bytes));
  parser_.body_limit(boost::none);
}

size_t RequestParser::PutHead(std::string_view bytes,
                              boost::system::error_code* error) {
  *error = {};
  const size_t used =
      parser_.put(boost::asio::buffer(bytes.data(), bytes.size()), *error);
  if (*error == http::error::need_more) *error = {};
  return used;
}

size_t RequestParser::PutBody(std::string_view bytes, char* out, size_t size,
                              size_t* made, boost::system::error_code* error) {
  size_t used = 0;
  *made = 0;
  *error = {};
  // A step may only take off a chunk's size.
  while (used < bytes.size() && *made < size && !parser_.is_done()) {
    auto& body = parser_.get().body();
    body.data = out + *made;
    body.size = size - *made;
    body.more = true;
    const size_t n = parser_.put(
        boost::asio::buffer(bytes.data() + used, bytes.size() - used), *error);
    used += n;
    *made = size - body.size;
    if (*error == http::error::need_buffer ||
        *error == http::error::need_more) {
      *error = {};
      if (n == 0) break;
    }
    if (*error) break;
  }
  return used;
}

}  // namespace brume::front
