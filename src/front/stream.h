#pragma once

#include "front/connection.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace brume::front {

// A connection's bytes, plain or TLS. The one stream type of the folder: code
// that talks to clients is compiled once, not once per stream type. The
// connection outlives the stream, and its limits and errors hold here.
class Stream {
 public:
  virtual ~Stream() = default;
  // Some bytes into [data, data + size); 0 at the end of the stream.
  virtual boost::asio::awaitable<size_t> Read(char* data, size_t size) = 0;
  // All of the bytes, which must stay alive until it returns.
  virtual boost::asio::awaitable<void> Write(std::string_view bytes) = 0;
  // Ends the sending side in an orderly way (TLS close_notify, FIN).
  virtual boost::asio::awaitable<void> Finish() = 0;
  virtual Connection& connection() = 0;
  // Whether what is written to the socket's descriptor reaches the client as
  // it is: sendfile may be used.
  virtual bool plain() const = 0;
};

// `prefix`: bytes already read from the socket, delivered first.
std::unique_ptr<Stream> MakePlainStream(Connection& connection,
                                        std::string prefix);

// Performs the server's handshake.
boost::asio::awaitable<std::unique_ptr<Stream>> AcceptTls(
    std::unique_ptr<Stream> below, std::shared_ptr<ssl_ctx_st> context);

}  // namespace brume::front
