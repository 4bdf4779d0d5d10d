#include "front/http_session.h"

#include "base/log.h"
#include "base/str_cat.h"
#include "front/http_head.h"
#include "front/served_hosts.h"
#include "runtime/on_pool.h"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/system_error.hpp>
#include <sys/sendfile.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

namespace brume::front {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Parser = http::request_parser<http::buffer_body>;

constexpr size_t kChunk = 64 * 1024;
// How much of an unwanted body is read and thrown away so that the client sees
// our reply instead of a reset.
constexpr size_t kMaxDiscard = 1024 * 1024;

// Closes the socket when nothing has happened for a while. One timer for the
// life of a connection.
class Watchdog {
 public:
  Watchdog(asio::ip::tcp::socket& socket, const asio::any_io_executor& executor)
      : socket_(socket), timer_(executor) {}

  void Arm(absl::Duration after) {
    timer_.expires_after(
        std::chrono::milliseconds(absl::ToInt64Milliseconds(after)));
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      boost::system::error_code ignored;
      socket_.cancel(ignored);
      fired_ = true;
    });
  }
  void Disarm() { timer_.cancel(); }
  bool fired() const { return fired_; }

 private:
  asio::ip::tcp::socket& socket_;
  asio::steady_timer timer_;
  bool fired_ = false;
};

// Undoes Content-Encoding: gzip of request bodies, piece by piece.
class Inflater {
 public:
  Inflater() { ok_ = inflateInit2(&zlib_, 15 + 16) == Z_OK; }
  ~Inflater() { inflateEnd(&zlib_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Gives inflated pieces to `sink` until it returns false; false when the
  // bytes are not gzip.
  template <typename Sink>
  bool Feed(std::string_view bytes, Sink sink) {
    if (!ok_) return false;
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib_.avail_in = static_cast<uInt>(bytes.size());
    std::string out(kChunk, '\0');
    while (zlib_.avail_in > 0) {
      zlib_.next_out = reinterpret_cast<Bytef*>(out.data());
      zlib_.avail_out = static_cast<uInt>(out.size());
      const int code = inflate(&zlib_, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
        return false;
      }
      const size_t made = out.size() - zlib_.avail_out;
      if (made > 0 && !sink(std::string_view(out.data(), made))) return true;
      if (code == Z_STREAM_END) {
        ended_ = true;
        return zlib_.avail_in == 0;
      }
      if (made == 0 && code == Z_BUF_ERROR) break;
    }
    return true;
  }
  bool ended() const { return ended_; }

 private:
  z_stream zlib_{};
  bool ok_ = false;
  bool ended_ = false;
};

class Session {
 public:
  Session(std::unique_ptr<Stream> stream, HttpPeer peer, HttpLimits limits,
          api::HttpService& service, runtime::WorkerPool& pool,
          const std::atomic<bool>& draining, asio::any_io_executor executor)
      : stream_(std::move(stream)),
        peer_(std::move(peer)),
        limits_(limits),
        service_(service),
        pool_(pool),
        draining_(draining),
        executor_(std::move(executor)),
        watchdog_(stream_->socket(), executor_) {}

  asio::awaitable<void> Run() {
    bool more = true;
    while (more && !draining_.load()) {
      more = co_await ServeOne();
    }
    watchdog_.Disarm();
    co_await stream_->Finish();
  }

 private:
  // Reads more input behind what is there; false at the end of the stream.
  asio::awaitable<bool> Fill() {
    const size_t old = input_.size();
    input_.resize(old + kChunk);
    const size_t n = co_await stream_->Read(input_.data() + old, kChunk);
    input_.resize(old + n);
    co_return n > 0;
  }

  // One request and its reply. False: close.
  asio::awaitable<bool> ServeOne() {
    Parser parser;
    parser.header_limit(static_cast<uint32_t>(limits_.header_bytes));
    parser.body_limit(boost::none);
    watchdog_.Arm(served_ == 0 ? limits_.header_time : limits_.idle_time);
    while (!parser.is_header_done()) {
      if (!input_.empty()) {
        boost::system::error_code error;
        const size_t used = parser.put(asio::buffer(input_), error);
        input_.erase(0, used);
        if (error && error != http::error::need_more) {
          co_await SendHead(HeadError(error), false, false);
          co_return false;
        }
        if (parser.is_header_done()) break;
      }
      const bool more = co_await Fill();
      if (!more) co_return false;
    }
    ++served_;
    const bool keep_alive = parser.get().keep_alive();
    const bool is_head = parser.get().method() == http::verb::head;
    std::variant<api::Response, api::RequestHead> routed =
        MakeRequestHead(parser.get(), peer_, stream_->plain());
    if (auto* refusal = std::get_if<api::Response>(&routed)) {
      co_await SendHead(std::move(*refusal), false, is_head);
      co_return false;
    }
    api::RequestHead head = std::get<api::RequestHead>(std::move(routed));
    const bool expects_continue = ExpectsContinue(head.headers);
    const bool gzip = head.headers.Get("content-encoding") == "gzip";

    std::optional<api::Begun> begun;
    watchdog_.Disarm();
    co_await runtime::OnPool(
        pool_, [&] { begun.emplace(service_.Begin(std::move(head))); });
    std::optional<api::Response> early;
    std::optional<api::Outcome> outcome;
    if (auto* reply = std::get_if<api::Response>(&*begun)) {
      early = std::move(*reply);
    } else {
      auto& sink = std::get<std::unique_ptr<api::BodySink>>(*begun);
      if (expects_continue && !parser.is_done()) {
        co_await stream_->Write("HTTP/1.1 100 Continue\r\n\r\n");
      }
      early = co_await PumpBody(parser, *sink, gzip);
      if (!early) {
        co_await runtime::OnPool(pool_, [&] { outcome = sink->Finish(); });
      }
      // A sink may do disk work when it goes.
      co_await runtime::OnPool(pool_, [&] { sink.reset(); });
    }
    if (early) {
      bool reusable = parser.is_done();
      if (!reusable && !expects_continue) reusable = co_await Discard(parser);
      co_await SendHead(std::move(*early), keep_alive && reusable, is_head);
      co_return keep_alive&& reusable;
    }
    while (auto* wait = std::get_if<std::unique_ptr<api::Wait>>(&*outcome)) {
      co_await Await(**wait);
      std::optional<api::Outcome> next;
      co_await runtime::OnPool(pool_, [&] { next = (*wait)->Resume(); });
      outcome = std::move(next);
    }
    const bool stay = keep_alive && !draining_.load();
    co_await SendHead(std::get<api::Response>(std::move(*outcome)), stay,
                      is_head);
    co_return stay;
  }

  // Reads the next decoded piece of the body into `chunk`, keeping `*size`.
  // False: the client went away or sent nonsense (`*error` set).
  asio::awaitable<bool> ReadPiece(Parser& parser, char* chunk, size_t* size,
                                  boost::system::error_code* error) {
    *size = 0;
    while (*size == 0 && !parser.is_done()) {
      auto& body = parser.get().body();
      body.data = chunk;
      body.size = kChunk;
      if (!input_.empty()) {
        boost::system::error_code put_error;
        const size_t used = parser.put(asio::buffer(input_), put_error);
        input_.erase(0, used);
        *size = kChunk - body.size;
        if (put_error && put_error != http::error::need_buffer &&
            put_error != http::error::need_more) {
          *error = put_error;
          co_return false;
        }
        if (*size > 0 || parser.is_done()) break;
        if (used > 0 && !input_.empty()) continue;
      }
      watchdog_.Arm(limits_.idle_time);
      const bool more = co_await Fill();
      watchdog_.Disarm();
      if (!more) {
        *error = asio::error::eof;
        co_return false;
      }
    }
    co_return true;
  }

  // Gives the body to the sink; a reply when it is to end early.
  asio::awaitable<std::optional<api::Response>> PumpBody(Parser& parser,
                                                         api::BodySink& sink,
                                                         bool gzip) {
    std::optional<Inflater> inflater;
    if (gzip) inflater.emplace();
    std::optional<api::Response> early;
    bool any = false;
    std::string chunk(parser.is_done() ? 0 : kChunk, '\0');
    while (!parser.is_done()) {
      size_t size = 0;
      boost::system::error_code error;
      const bool fine = co_await ReadPiece(parser, chunk.data(), &size, &error);
      if (!fine) {
        // Nobody is there to read a reply; a malformed chunk gets one.
        if (error == asio::error::eof) throw boost::system::system_error(error);
        co_return ErrorResponse(400,
                                "malformed request body: " + error.message());
      }
      if (size == 0) continue;
      any = true;
      co_await runtime::OnPool(pool_, [&] {
        const std::string_view piece(chunk.data(), size);
        if (!inflater) {
          early = sink.Write(piece);
          return;
        }
        const bool valid = inflater->Feed(piece, [&](std::string_view out) {
          early = sink.Write(out);
          return !early.has_value();
        });
        if (!valid) {
          early = ErrorResponse(400, "request body is not valid gzip");
        }
      });
      if (early) co_return early;
    }
    if (inflater && any && !inflater->ended()) {
      co_return ErrorResponse(400, "gzip request body ends too soon");
    }
    co_return std::nullopt;
  }

  // Throws the rest of a body away; true when the connection can be reused.
  asio::awaitable<bool> Discard(Parser& parser) {
    std::string chunk(kChunk, '\0');
    size_t total = 0;
    while (!parser.is_done() && total < kMaxDiscard) {
      size_t size = 0;
      boost::system::error_code error;
      const bool fine = co_await ReadPiece(parser, chunk.data(), &size, &error);
      if (!fine) co_return false;
      total += size;
    }
    co_return parser.is_done();
  }

  // Until the wait is woken or its deadline has come. No thread waits.
  asio::awaitable<void> Await(api::Wait& wait) {
    auto timer = std::make_shared<asio::steady_timer>(executor_);
    const absl::Duration left =
        std::min(wait.deadline - absl::Now(), absl::Hours(24));
    timer->expires_after(std::chrono::milliseconds(
        std::max<int64_t>(0, absl::ToInt64Milliseconds(left))));
    wait.Subscribe([timer, executor = executor_] {
      asio::post(executor, [timer] { timer->expires_at({}); });
    });
    boost::system::error_code ignored;
    co_await timer->async_wait(
        asio::redirect_error(asio::use_awaitable, ignored));
  }

  asio::awaitable<void> SendHead(api::Response response, bool keep_alive,
                                 bool is_head) {
    const bool has_body = MayHaveBody(response.status);
    std::string head = FormatHead(response, keep_alive, is_head);
    watchdog_.Arm(limits_.idle_time);
    if (auto* text = std::get_if<std::string>(&response.body)) {
      if (has_body && !is_head) head += *text;
      co_await stream_->Write(head);
    } else if (auto* slice = std::get_if<api::FileSlice>(&response.body)) {
      co_await stream_->Write(head);
      if (has_body && !is_head) co_await SendFile(*slice);
    } else {
      co_await stream_->Write(head);
      auto& source = std::get<std::unique_ptr<api::BodySource>>(response.body);
      if (has_body && !is_head) co_await SendSource(*source);
    }
    watchdog_.Disarm();
  }

  asio::awaitable<void> SendFile(api::FileSlice& slice) {
    if (!stream_->plain()) {
      std::string buffer(std::min<uint64_t>(256 * 1024, slice.length), '\0');
      while (slice.length > 0) {
        ssize_t got = 0;
        const size_t want = std::min<uint64_t>(buffer.size(), slice.length);
        // Page-cached data: reading it costs less than a trip to the pool.
        got = ::pread(slice.fd.get(), buffer.data(), want,
                      static_cast<off_t>(slice.offset));
        if (got <= 0) {
          throw boost::system::system_error(asio::error::connection_aborted);
        }
        slice.offset += static_cast<uint64_t>(got);
        slice.length -= static_cast<uint64_t>(got);
        watchdog_.Arm(limits_.idle_time);
        co_await stream_->Write(
            std::string_view(buffer.data(), static_cast<size_t>(got)));
      }
      co_return;
    }
    asio::ip::tcp::socket& socket = stream_->socket();
    socket.native_non_blocking(true);
    auto offset = static_cast<off_t>(slice.offset);
    while (slice.length > 0) {
      const size_t want = std::min<uint64_t>(slice.length, 4 * 1024 * 1024);
      const ssize_t sent =
          ::sendfile(socket.native_handle(), slice.fd.get(), &offset, want);
      if (sent > 0) {
        slice.length -= static_cast<uint64_t>(sent);
        continue;
      }
      if (sent < 0 && errno == EINTR) continue;
      if (sent == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        throw boost::system::system_error(asio::error::connection_aborted);
      }
      watchdog_.Arm(limits_.idle_time);
      co_await socket.async_wait(asio::ip::tcp::socket::wait_write,
                                 asio::use_awaitable);
    }
  }

  asio::awaitable<void> SendSource(api::BodySource& source) {
    for (;;) {
      std::optional<absl::StatusOr<std::string>> piece;
      co_await runtime::OnPool(pool_, [&] { piece.emplace(source.Read()); });
      if (!piece->ok()) {
        base::Log(base::LogLevel::kWarn, "front", "reply body broke off",
                  {{"cause", piece->status().ToString()}});
        throw boost::system::system_error(asio::error::connection_aborted);
      }
      const std::string& bytes = **piece;
      watchdog_.Arm(limits_.idle_time);
      const std::string framed = FormatChunk(bytes);
      co_await stream_->Write(framed);
      if (bytes.empty()) co_return;
    }
  }

  std::unique_ptr<Stream> stream_;
  HttpPeer peer_;
  HttpLimits limits_;
  api::HttpService& service_;
  runtime::WorkerPool& pool_;
  const std::atomic<bool>& draining_;
  asio::any_io_executor executor_;
  Watchdog watchdog_;
  std::string input_;
  uint64_t served_ = 0;
};

}  // namespace

asio::awaitable<void> ServeHttp(std::unique_ptr<Stream> stream, HttpPeer peer,
                                HttpLimits limits, api::HttpService& service,
                                runtime::WorkerPool& pool,
                                const std::atomic<bool>& draining) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Session session(std::move(stream), std::move(peer), limits, service, pool,
                  draining, executor);
  try {
    co_await session.Run();
  } catch (const boost::system::system_error&) {
    // The client went away, or was too slow: nothing to tell it.
  }
}

}  // namespace brume::front
