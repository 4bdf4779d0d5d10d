#include "front/stream.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace brume::front {
namespace {

namespace asio = boost::asio;
using boost::system::system_error;

class PlainStream final : public Stream {
 public:
  PlainStream(Connection& connection, std::string prefix)
      : connection_(connection), prefix_(std::move(prefix)) {}

  asio::awaitable<size_t> Read(char* data, size_t size) override {
    if (prefix_.empty()) return connection_.Read(data, size);
    return ReadPrefix(data, size);
  }

  asio::awaitable<void> Write(std::string_view bytes) override {
    return connection_.Write(bytes);
  }

  asio::awaitable<void> Finish() override {
    boost::system::error_code ignored;
    connection_.socket().shutdown(asio::ip::tcp::socket::shutdown_send,
                                  ignored);
    co_return;
  }

  Connection& connection() override { return connection_; }
  bool plain() const override { return true; }

 private:
  asio::awaitable<size_t> ReadPrefix(char* data, size_t size) {
    const size_t n = std::min(size, prefix_.size() - position_);
    std::memcpy(data, prefix_.data() + position_, n);
    position_ += n;
    if (position_ == prefix_.size()) prefix_ = std::string();
    co_return n;
  }

  Connection& connection_;
  std::string prefix_;
  size_t position_ = 0;
};

// TLS over another stream: OpenSSL works on memory, we move the bytes. Bytes
// in flight are bounded by one read and what one Write call encrypts.
class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> below, std::shared_ptr<SSL_CTX> context)
      : below_(std::move(below)),
        ssl_(SSL_new(context.get())),  // takes a reference of its own
        in_(BIO_new(BIO_s_mem())),
        out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_, in_, out_);
    SSL_set_accept_state(ssl_);
  }
  ~TlsStream() override { SSL_free(ssl_); }

  asio::awaitable<void> Handshake() {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_);
      const int error = SSL_get_error(ssl_, done);
      // Alerts too: the client should learn why.
      co_await Flush();
      if (done == 1) co_return;
      if (error != SSL_ERROR_WANT_READ) {
        throw system_error(asio::error::connection_aborted, "TLS handshake");
      }
      const bool more = co_await Fill();
      if (!more) throw system_error(asio::error::eof, "TLS handshake");
    }
  }

  asio::awaitable<size_t> Read(char* data, size_t size) override {
    for (;;) {
      ERR_clear_error();
      size_t got = 0;
      const int done = SSL_read_ex(ssl_, data, size, &got);
      if (done == 1) co_return got;
      const int error = SSL_get_error(ssl_, done);
      if (error == SSL_ERROR_ZERO_RETURN) co_return 0;
      if (error != SSL_ERROR_WANT_READ) {
        throw system_error(asio::error::connection_aborted, "TLS read");
      }
      const bool more = co_await Fill();
      // A peer that leaves without close_notify: the HTTP layer knows whether
      // the message was whole.
      if (!more) co_return 0;
    }
  }

  asio::awaitable<void> Write(std::string_view bytes) override {
    // Records of 16 KiB are encrypted in batches, so that a large write does
    // not double in memory.
    constexpr size_t kBatch = 256 * 1024;
    while (!bytes.empty()) {
      const std::string_view batch = bytes.substr(0, kBatch);
      bytes.remove_prefix(batch.size());
      ERR_clear_error();
      size_t written = 0;
      if (SSL_write_ex(ssl_, batch.data(), batch.size(), &written) != 1) {
        throw system_error(asio::error::connection_aborted, "TLS write");
      }
      co_await Flush();
    }
  }

  asio::awaitable<void> Finish() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
    co_await Flush();
    co_await below_->Finish();
  }

  Connection& connection() override { return below_->connection(); }
  bool plain() const override { return false; }

 private:
  asio::awaitable<void> Flush() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    if (size > 0) {
      co_await below_->Write(std::string_view(data, static_cast<size_t>(size)));
      BIO_reset(out_);
    }
  }
  asio::awaitable<bool> Fill() {
    const size_t n = co_await below_->Read(buffer_, sizeof buffer_);
    if (n == 0) co_return false;
    BIO_write(in_, buffer_, static_cast<int>(n));
    co_return true;
  }

  std::unique_ptr<Stream> below_;
  SSL* ssl_;
  BIO* in_;   // owned by ssl_
  BIO* out_;  // owned by ssl_
  char buffer_[16 * 1024];
};

}  // namespace

std::unique_ptr<Stream> MakePlainStream(Connection& connection,
                                        std::string prefix) {
  return std::make_unique<PlainStream>(connection, std::move(prefix));
}

asio::awaitable<std::unique_ptr<Stream>> AcceptTls(
    std::unique_ptr<Stream> below, std::shared_ptr<ssl_ctx_st> context) {
  auto stream =
      std::make_unique<TlsStream>(std::move(below), std::move(context));
  co_await stream->Handshake();
  co_return stream;
}

}  // namespace brume::front
