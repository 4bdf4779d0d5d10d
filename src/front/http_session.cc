#include "front/http_session.h"

#include "front/connect_request.h"
#include "front/forward.h"
#include "front/http_body.h"
#include "front/http_reply.h"
#include "front/http_request_parser.h"
#include "runtime/pool_call.h"
#include "runtime/wake_signal.h"

#include <absl/time/clock.h>
#include <boost/asio/error.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using boost::system::system_error;

// How often a long poll looks whether its client is still there.
constexpr absl::Duration kPeerCheck = absl::Seconds(2);
// How long a refused client is listened to, so that it reads the reply before
// a reset, and how much of what it sends is thrown away.
constexpr absl::Duration kLinger = absl::Seconds(2);
constexpr absl::Duration kDiscardTime = absl::Seconds(1);
constexpr size_t kMaxLinger = 64 * 1024 * 1024;
constexpr size_t kHeadPiece = 16 * 1024;

class Session {
 public:
  Session(std::unique_ptr<Stream> stream, HttpPeer peer,
          const HttpContext& context)
      : stream_(std::move(stream)),
        connection_(stream_->connection()),
        peer_(std::move(peer)),
        context_(context) {}

  asio::awaitable<void> Run() {
    bool more = true;
    bool failed = false;
    while (more && !connection_.finishing()) {
      try {
        more = co_await ServeOne();
      } catch (const system_error& error) {
        failed = true;
        timed_out_ = error.code() == asio::error::timed_out;
      }
      // What handlers left may do disk work when it goes.
      co_await Release();
      if (failed) break;
    }
    if (connection_.aborted()) co_return;
    try {
      if (failed) {
        if (!timed_out_ || !in_request_) co_return;
        co_await SendError(
            ErrorResponse(408, "the request did not arrive in time"));
      }
      connection_.SetDeadline(kLinger);
      co_await stream_->Finish();
      if (linger_) co_await Linger();
    } catch (const system_error&) {
      // The client went away: nothing to tell it.
    }
  }

 private:
  // Reads more input behind what is there; false at the end of the stream.
  asio::awaitable<bool> Fill() {
    const size_t old = input_.size();
    input_.resize(old + kHeadPiece);
    size_t n = 0;
    try {
      n = co_await stream_->Read(input_.data() + old, kHeadPiece);
    } catch (...) {
      input_.resize(old);
      throw;
    }
    input_.resize(old + n);
    co_return n > 0;
  }

  // False: the client has left, or was told what is wrong.
  asio::awaitable<bool> ReadHead(RequestParser& parser) {
    in_request_ = !input_.empty();
    if (input_.empty()) {
      connection_.SetIdle(true);
      connection_.SetDeadline(served_ == 0 ? context_.limits.header_time
                                           : context_.limits.idle_time);
      const bool more = co_await Fill();
      connection_.SetIdle(false);
      if (!more) co_return false;
      in_request_ = true;
    }
    connection_.SetDeadline(context_.limits.header_time);
    for (;;) {
      boost::system::error_code error;
      const size_t used = parser.PutHead(input_, &error);
      input_.erase(0, used);
      if (error) {
        co_await SendError(HeadError(error));
        co_return false;
      }
      if (parser.head_done()) break;
      const bool more = co_await Fill();
      if (!more) co_return false;
    }
    connection_.ClearDeadline();
    co_return true;
  }

  // One request and its reply. False: close.
  asio::awaitable<bool> ServeOne() {
    RequestParser parser(context_.limits.header_bytes);
    const bool whole = co_await ReadHead(parser);
    if (!whole) co_return false;
    ++served_;
    HeadFormat format;
    format.is_head =
        parser.request().method() == boost::beast::http::verb::head;
    format.http10 = parser.request().version() < 11;
    HttpPeer peer = peer_;
    std::optional<Refusal> refusal = co_await IdentifyRun(parser, peer);
    if (refusal) {
      co_await SendError(ToResponse(*refusal));
      co_return false;
    }
    auto routed = RouteRequest(parser.request(), peer, stream_->plain());
    if (auto* refused = std::get_if<api::Response>(&routed)) {
      linger_ = true;
      co_await Send(std::move(*refused), format);
      co_return false;
    }
    if (auto* foreign = std::get_if<ForeignRequest>(&routed)) {
      co_await Forward(std::move(*foreign), peer);
      co_return false;
    }
    api::RequestHead head = std::get<api::RequestHead>(std::move(routed));
    BodyPump pump(*stream_, *context_.pool, parser, input_);
    pump.set_gzip(head.headers.Get("content-encoding") == "gzip");
    pump.set_expects_continue(ExpectsContinue(head.headers) && !format.http10);
    Exchange exchange = co_await pump.Run(*context_.service, std::move(head));
    in_request_ = false;
    bool reusable = parser.done();
    if (!reusable && !exchange.failed) reusable = co_await Discard(pump);
    linger_ = !reusable;
    wait_ = std::move(exchange.wait);
    while (wait_ != nullptr) {
      co_await AwaitWake();
      exchange = co_await Resume();
      wait_ = std::move(exchange.wait);
    }
    const bool ends_with_connection =
        format.http10 &&
        std::holds_alternative<std::unique_ptr<api::BodySource>>(
            exchange.reply.body);
    format.keep_alive = parser.keep_alive() && reusable &&
                        !ends_with_connection && !connection_.finishing();
    co_await Send(std::move(exchange.reply), format);
    co_return format.keep_alive;
  }

  // The rest of a body nobody wants, if it comes soon.
  asio::awaitable<bool> Discard(BodyPump& pump) {
    bool done = false;
    connection_.SetDeadline(kDiscardTime);
    try {
      done = co_await pump.Discard();
    } catch (const system_error& error) {
      if (error.code() != asio::error::timed_out) throw;
    }
    connection_.ClearDeadline();
    co_return done;
  }

  // By Proxy-Authorization, which only clients of a plain-HTTP proxy send.
  asio::awaitable<std::optional<Refusal>> IdentifyRun(RequestParser& parser,
                                                      HttpPeer& peer) {
    const auto field = parser.request().find("Proxy-Authorization");
    if (field == parser.request().end()) co_return std::nullopt;
    const std::string value(field->value().data(), field->value().size());
    if (value != known_authorization_) {
      HttpPeer known = peer_;
      auto credentials = ParseProxyAuthorization(value);
      if (!credentials) {
        Refusal unusable;
        unusable.status = 407;
        unusable.message = "the proxy address has no usable credentials";
        co_return unusable;
      }
      std::optional<Refusal> refusal = co_await context_.access->Identify(
          &connection_, &known, std::move(credentials->user),
          std::move(credentials->password));
      if (refusal) co_return refusal;
      known_authorization_ = value;
      known_peer_ = std::move(known);
    }
    peer = known_peer_;
    co_return std::nullopt;
  }

  asio::awaitable<void> Forward(ForeignRequest foreign, HttpPeer peer) {
    std::optional<Refusal> refusal =
        context_.access->CheckForeign(peer, foreign.host);
    if (refusal) {
      co_await SendError(ToResponse(*refusal));
      co_return;
    }
    refusal = co_await ForwardRequest(connection_, *context_.upstream,
                                      std::move(foreign), std::move(input_));
    if (refusal) co_await SendError(ToResponse(*refusal));
  }

  // Until the wait is woken or its deadline has come. No thread waits.
  asio::awaitable<void> AwaitWake() {
    runtime::WakeSignal signal(connection_.lane());
    const Connection::StopHook stop(connection_, [&signal] { signal.Wake(); });
    api::Wait* wait = wait_.get();
    runtime::PoolCall<bool> subscribe(*context_.pool, connection_.lane(),
                                      [wait, wake = signal.waker()] {
                                        wait->Subscribe(wake);
                                        return true;
                                      });
    co_await subscribe.Result();
    // Asked to end: what there is now is the answer, if it is one.
    bool over = connection_.finishing();
    while (!over) {
      const absl::Time step =
          std::min(wait_->deadline, absl::Now() + kPeerCheck);
      const bool woken = co_await signal.Wait(step);
      over = woken || absl::Now() >= wait_->deadline;
      if (connection_.aborted() || (!over && connection_.PeerHasClosed())) {
        throw system_error(asio::error::operation_aborted);
      }
    }
  }

  asio::awaitable<Exchange> Resume() {
    runtime::PoolCall<Exchange> call(
        *context_.pool, connection_.lane(),
        [wait = std::move(wait_)] { return MakeExchange(wait->Resume()); });
    Exchange next = co_await call.Result();
    if (next.wait != nullptr && connection_.finishing()) {
      wait_ = std::move(next.wait);
      throw system_error(asio::error::operation_aborted);
    }
    co_return next;
  }

  asio::awaitable<void> SendError(api::Response response) {
    connection_.ClearDeadline();
    linger_ = true;
    const HeadFormat close;
    co_await Send(std::move(response), close);
  }

  asio::awaitable<void> Send(api::Response response, HeadFormat format) {
    reply_ = std::move(response);
    co_await SendReply(stream_.get(), context_.pool, &*reply_, format);
  }

  asio::awaitable<void> Release() {
    const bool simple =
        wait_ == nullptr &&
        (!reply_ || std::holds_alternative<std::string>(reply_->body));
    if (!simple) {
      runtime::PoolCall<bool> call(
          *context_.pool, connection_.lane(),
          [wait = std::move(wait_), reply = std::move(reply_)]() mutable {
            wait = nullptr;
            reply.reset();
            return true;
          });
      co_await call.Result();
    }
    reply_.reset();
  }

  // Reads and drops what a refused client still sends.
  asio::awaitable<void> Linger() {
    std::string drop(kHeadPiece, '\0');
    for (size_t total = 0; total < kMaxLinger;) {
      const size_t n = co_await connection_.Read(drop.data(), drop.size());
      if (n == 0) break;
      total += n;
    }
  }

  std::unique_ptr<Stream> stream_;
  Connection& connection_;
  const HttpPeer peer_;
  const HttpContext& context_;
  std::string input_;
  std::unique_ptr<api::Wait> wait_;
  std::optional<api::Response> reply_;
  // The last Proxy-Authorization that was found right, and whom it names.
  std::string known_authorization_;
  HttpPeer known_peer_;
  uint64_t served_ = 0;
  bool in_request_ = false;
  bool timed_out_ = false;
  bool linger_ = false;
};

}  // namespace

asio::awaitable<void> ServeHttp(std::unique_ptr<Stream> stream, HttpPeer peer,
                                const HttpContext* context) {
  Session session(std::move(stream), std::move(peer), *context);
  co_await session.Run();
}

}  // namespace brume::front
