#pragma once

#include "api/wire.h"
#include "front/http_request_parser.h"
#include "front/inflater.h"
#include "front/stream.h"
#include "runtime/worker_pool.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace brume::front {

// What a handler made of a request: a wait, else the reply.
struct Exchange {
  api::Response reply;
  std::unique_ptr<api::Wait> wait;
  // The rest of the body is not to be read: the connection closes.
  bool failed = false;
};
Exchange MakeExchange(api::Outcome outcome);

// Takes one request to the service: begins it, gives it its body in pieces,
// finishes it. The service runs on the pool, one call at a time; a request
// that has arrived whole takes one trip there. While a piece is being worked
// on, the next is read.
class BodyPump {
 public:
  // `input`: bytes behind the head that have been read already; what belongs
  // to the next request is left in it. All outlive the pump.
  BodyPump(Stream& stream, runtime::WorkerPool& pool, RequestParser& parser,
           std::string& input);
  ~BodyPump();
  BodyPump(const BodyPump&) = delete;
  BodyPump& operator=(const BodyPump&) = delete;

  void set_gzip(bool gzip);
  // "100 Continue" is sent before the body is read.
  void set_expects_continue(bool expects) { expects_continue_ = expects; }

  // Throws system_error when the client went away or was too slow; the sink
  // has then been destroyed on the pool.
  boost::asio::awaitable<Exchange> Run(api::HttpService& service,
                                       api::RequestHead head);
  // After an early reply: throws the rest of the body away if it is short; true
  // when the connection can be used again.
  boost::asio::awaitable<bool> Discard();

 private:
  struct Piece {
    std::string bytes;
    size_t size = 0;
  };
  struct Written {
    std::string buffer;  // to be used again
    std::optional<api::Response> early;
  };

  boost::asio::awaitable<std::optional<api::Response>> Pump();
  boost::asio::awaitable<void> ReadPiece(Piece& piece);
  // On the pool.
  std::optional<api::Response> WriteToSink(std::string_view bytes);
  std::optional<api::Response> CheckEnd() const;
  Exchange RunWhole(api::HttpService& service, api::RequestHead head,
                    std::string_view body);

  Stream& stream_;
  runtime::WorkerPool& pool_;
  RequestParser& parser_;
  std::string& input_;
  std::unique_ptr<api::BodySink> sink_;
  std::unique_ptr<Inflater> inflater_;
  bool any_ = false;
  bool expects_continue_ = false;
  bool malformed_ = false;
  std::string malformed_text_;
  size_t piece_bytes_;
};

}  // namespace brume::front
