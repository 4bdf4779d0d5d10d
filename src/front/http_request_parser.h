#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string_view>

namespace brume::front {

// One HTTP/1.1 request from bytes in pieces of any size: its head, then its
// body with the chunks taken off. No I/O. Beast's parser, with its conventions
// ("need more" is no error to us) put straight.
class RequestParser {
 public:
  using Request = boost::beast::http::request<boost::beast::http::buffer_body>;

  explicit RequestParser(size_t header_bytes);

  bool head_done() const { return parser_.is_header_done(); }
  // The whole request has been seen.
  bool done() const { return parser_.is_done(); }
  // Valid when head_done().
  const Request& request() const { return parser_.get(); }
  bool keep_alive() const { return parser_.get().keep_alive(); }

  // Takes bytes of the head, and none behind it; returns how many.
  size_t PutHead(std::string_view bytes, boost::system::error_code* error);

  // Takes bytes of the body and puts what they mean into [out, out + size);
  // returns how many were taken, `*made` how many were made. Nothing taken and
  // nothing made: it needs more bytes.
  size_t PutBody(std::string_view bytes, char* out, size_t size, size_t* made,
                 boost::system::error_code* error);

 private:
  boost::beast::http::request_parser<boost::beast::http::buffer_body> parser_;
};

}  // namespace brume::front
