#include "front/http_body.h"

#include "base/str_cat.h"
#include "front/http_head.h"
#include "front/http_reply.h"
#include "runtime/pool_call.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using boost::system::system_error;

// Pieces grow while the client fills them: a slow one costs little memory, a
// fast one few trips to the pool.
constexpr size_t kSmallPiece = 8 * 1024;
constexpr size_t kLargePiece = 256 * 1024;
// A body that has arrived with its head is handled in one trip.
constexpr size_t kMaxWhole = 64 * 1024;
constexpr size_t kMaxDiscard = 1024 * 1024;

}  // namespace

Exchange MakeExchange(api::Outcome outcome) {
  Exchange exchange;
  if (auto* wait = std::get_if<std::unique_ptr<api::Wait>>(&outcome)) {
    exchange.wait = std::move(*wait);
  } else {
    exchange.reply = std::get<api::Response>(std::move(outcome));
    LoadSmallFile(&exchange.reply);
  }
  return exchange;
}

BodyPump::BodyPump(Stream& stream, runtime::WorkerPool& pool,
                   RequestParser& parser, std::string& input)
    : stream_(stream),
      pool_(pool),
      parser_(parser),
      input_(input),
      piece_bytes_(kSmallPiece) {}

BodyPump::~BodyPump() = default;

void BodyPump::set_gzip(bool gzip) {
  if (gzip) inflater_ = std::make_unique<Inflater>();
}

Exchange BodyPump::RunWhole(api::HttpService& service, api::RequestHead head,
                            std::string_view body) {
  api::Begun begun = service.Begin(std::move(head));
  if (auto* reply = std::get_if<api::Response>(&begun)) {
    return MakeExchange(std::move(*reply));
  }
  sink_ = std::get<std::unique_ptr<api::BodySink>>(std::move(begun));
  std::optional<api::Response> early;
  if (!body.empty()) early = WriteToSink(body);
  if (!early) early = CheckEnd();
  Exchange exchange =
      MakeExchange(early ? api::Outcome(*std::move(early)) : sink_->Finish());
  sink_ = nullptr;
  return exchange;
}

asio::awaitable<Exchange> BodyPump::Run(api::HttpService& service,
                                        api::RequestHead head) {
  runtime::Lane& lane = stream_.connection().lane();
  // Whatever has come along with the head.
  Piece first;
  if (!parser_.done() && !input_.empty() && input_.size() <= kMaxWhole) {
    first.bytes.resize(input_.size());
    boost::system::error_code error;
    const size_t used = parser_.PutBody(
        input_, first.bytes.data(), first.bytes.size(), &first.size, &error);
    input_.erase(0, used);
    if (error) {
      malformed_ = true;
      malformed_text_ = error.message();
    }
  }
  if (parser_.done()) {
    runtime::PoolCall<Exchange> call(
        pool_, lane,
        [this, &service, &first, head = std::move(head)]() mutable {
          return RunWhole(service, std::move(head),
                          std::string_view(first.bytes.data(), first.size));
        });
    Exchange exchange = co_await call.Result();
    co_return exchange;
  }

  runtime::PoolCall<api::Begun> begin(
      pool_, lane, [&service, head = std::move(head)]() mutable {
        return service.Begin(std::move(head));
      });
  api::Begun begun = co_await begin.Result();
  if (auto* reply = std::get_if<api::Response>(&begun)) {
    Exchange exchange;
    exchange.reply = std::move(*reply);
    // The client was to send the body only if asked: it may or may not come.
    exchange.failed = expects_continue_;
    co_return exchange;
  }
  sink_ = std::get<std::unique_ptr<api::BodySink>>(std::move(begun));
  std::optional<api::Response> early;
  std::exception_ptr gone;
  try {
    if (expects_continue_ && first.size == 0) {
      co_await stream_.Write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (first.size > 0) {
      runtime::PoolCall<std::optional<api::Response>> write(
          pool_, lane, [this, &first] {
            return WriteToSink(
                std::string_view(first.bytes.data(), first.size));
          });
      early = co_await write.Result();
      first = Piece();
    }
    if (!early) early = co_await Pump();
  } catch (const system_error&) {
    gone = std::current_exception();
  }
  runtime::PoolCall<Exchange> end(
      pool_, lane, [this, &early, finish = gone == nullptr] {
        Exchange exchange;
        if (finish) {
          exchange = MakeExchange(early ? api::Outcome(*std::move(early))
                                        : sink_->Finish());
        }
        sink_ = nullptr;
        return exchange;
      });
  Exchange exchange = co_await end.Result();
  if (gone) std::rethrow_exception(gone);
  exchange.failed = malformed_;
  co_return exchange;
}

asio::awaitable<std::optional<api::Response>> BodyPump::Pump() {
  runtime::PoolCall<Written> writing;
  std::exception_ptr gone;
  std::string spare;
  std::optional<api::Response> early;
  while (!parser_.done() && !malformed_) {
    Piece piece;
    piece.bytes = std::move(spare);
    try {
      co_await ReadPiece(piece);
    } catch (const system_error&) {
      gone = std::current_exception();
    }
    // One call at a time.
    if (writing.pending()) {
      Written written = co_await writing.Result();
      spare = std::move(written.buffer);
      early = std::move(written.early);
    }
    if (gone) std::rethrow_exception(gone);
    if (early) co_return early;
    if (piece.size == 0) {
      spare = std::move(piece.bytes);
      continue;
    }
    writing = runtime::PoolCall<Written>(
        pool_, stream_.connection().lane(),
        [this, piece = std::move(piece)]() mutable {
          Written written;
          written.early =
              WriteToSink(std::string_view(piece.bytes.data(), piece.size));
          written.buffer = std::move(piece.bytes);
          return written;
        });
  }
  if (writing.pending()) {
    Written written = co_await writing.Result();
    early = std::move(written.early);
  }
  if (!early) early = CheckEnd();
  co_return early;
}

asio::awaitable<void> BodyPump::ReadPiece(Piece& piece) {
  piece.size = 0;
  if (piece.bytes.size() != piece_bytes_) {
    piece.bytes = std::string(piece_bytes_, '\0');
  }
  if (input_.empty()) {
    // Straight from the stream; chunks are then taken off in place, which
    // never makes more bytes than there were.
    input_.resize(piece_bytes_);
    size_t n = 0;
    try {
      n = co_await stream_.Read(input_.data(), input_.size());
    } catch (...) {
      input_.clear();
      throw;
    }
    input_.resize(n);
    if (n == 0) throw system_error(asio::error::eof);
    if (n == piece_bytes_) {
      piece_bytes_ = std::min(piece_bytes_ * 4, kLargePiece);
    } else if (n < piece_bytes_ / 16) {
      piece_bytes_ = std::max(piece_bytes_ / 4, kSmallPiece);
    }
  }
  boost::system::error_code error;
  const size_t used = parser_.PutBody(input_, piece.bytes.data(),
                                      piece.bytes.size(), &piece.size, &error);
  input_.erase(0, used);
  if (error) {
    malformed_ = true;
    malformed_text_ = error.message();
  } else if (used == 0 && piece.size == 0 && !parser_.done()) {
    // A chunk's head came only in part.
    std::string more(kSmallPiece, '\0');
    const size_t n = co_await stream_.Read(more.data(), more.size());
    if (n == 0) throw system_error(asio::error::eof);
    input_.append(more, 0, n);
  }
}

std::optional<api::Response> BodyPump::WriteToSink(std::string_view bytes) {
  any_ = true;
  if (inflater_ == nullptr) return sink_->Write(bytes);
  std::optional<api::Response> early;
  const bool valid = inflater_->Feed(bytes, [&](std::string_view out) {
    early = sink_->Write(out);
    return !early.has_value();
  });
  if (!valid) return ErrorResponse(400, "request body is not valid gzip");
  return early;
}

std::optional<api::Response> BodyPump::CheckEnd() const {
  if (malformed_) {
    return ErrorResponse(
        400, base::StrCat("malformed request body: ", malformed_text_));
  }
  if (inflater_ != nullptr && any_ && !inflater_->ended()) {
    return ErrorResponse(400, "gzip request body ends too soon");
  }
  return std::nullopt;
}

asio::awaitable<bool> BodyPump::Discard() {
  size_t total = 0;
  while (!parser_.done() && !malformed_ && total < kMaxDiscard) {
    Piece piece;
    co_await ReadPiece(piece);
    total += piece.size;
  }
  co_return parser_.done();
}

}  // namespace brume::front
