#include "testing/test_client.h"

#include <absl/strings/ascii.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace brume::testing {

TestClient::TestClient(uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{10, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  broken_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address),
                      sizeof address) != 0;
}

TestClient::TestClient(base::UniqueFd socket)
    : socket_(std::move(socket)), broken_(!socket_.valid()) {}

TestClient::~TestClient() {
  SSL_free(tls_);
  SSL_CTX_free(context_);
}

bool TestClient::StartTls(const std::string& ca_pem, const std::string& host,
                          std::string_view alpn) {
  context_ = SSL_CTX_new(TLS_client_method());
  BIO* bio = BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size()));
  X509* ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), ca);
  X509_free(ca);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  tls_ = SSL_new(context_);
  SSL_set_fd(tls_, socket_.get());
  SSL_set_tlsext_host_name(tls_, host.c_str());
  SSL_set1_host(tls_, host.c_str());
  if (!alpn.empty()) {
    SSL_set_alpn_protos(tls_,
                        reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
  }
  broken_ = SSL_connect(tls_) != 1;
  return !broken_;
}

TestClient& TestClient::Send(std::string_view bytes) {
  while (!bytes.empty() && !broken_) {
    ssize_t n = 0;
    if (tls_ != nullptr) {
      n = SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
    } else {
      n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    if (n <= 0) {
      broken_ = true;
    } else {
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  return *this;
}

std::string TestClient::ReadSome() {
  if (!input_.empty()) return std::exchange(input_, std::string());
  std::string out(64 * 1024, '\0');
  ssize_t n = 0;
  if (tls_ != nullptr) {
    n = SSL_read(tls_, out.data(), static_cast<int>(out.size()));
  } else {
    n = ::recv(socket_.get(), out.data(), out.size(), 0);
  }
  if (n < 0) broken_ = true;
  out.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return out;
}

std::string TestClient::ReadAll() {
  std::string out;
  for (;;) {
    const std::string piece = ReadSome();
    if (piece.empty()) return out;
    out += piece;
  }
}

std::string TestClient::ReadUntil(std::string_view end) {
  std::string out;
  for (;;) {
    const size_t found = out.find(end);
    if (found != std::string::npos) {
      input_ = out.substr(found + end.size());
      out.resize(found + end.size());
      return out;
    }
    const std::string piece = ReadSome();
    if (piece.empty()) {
      broken_ = true;
      return out;
    }
    out += piece;
  }
}

std::string TestClient::ReadExactly(size_t size) {
  std::string out;
  if (size == 0) return out;
  while (out.size() < size) {
    const std::string piece = ReadSome();
    if (piece.empty()) {
      broken_ = true;
      return out;
    }
    out += piece;
  }
  input_ = out.substr(size);
  out.resize(size);
  return out;
}

TestClient::Reply TestClient::ReadReply(bool is_head) {
  Reply reply;
  reply.head = ReadUntil("\r\n\r\n");
  if (reply.head.size() < 12) return reply;
  reply.status = std::atoi(reply.head.c_str() + 9);
  const std::string lower = absl::AsciiStrToLower(reply.head);
  const bool bodiless = is_head || reply.status < 200 || reply.status == 204 ||
                        reply.status == 304;
  const size_t length = lower.find("\r\ncontent-length: ");
  if (bodiless) return reply;
  if (length != std::string::npos) {
    reply.body =
        ReadExactly(std::strtoull(lower.c_str() + length + 18, nullptr, 10));
  } else if (lower.find("\r\ntransfer-encoding: chunked") !=
             std::string::npos) {
    for (;;) {
      const std::string line = ReadUntil("\r\n");
      const size_t size = std::strtoull(line.c_str(), nullptr, 16);
      reply.body += ReadExactly(size);
      ReadUntil("\r\n");
      if (size == 0 || broken_) break;
    }
  } else {
    reply.body = ReadAll();
  }
  return reply;
}

TestClient::Reply TestClient::Ask(std::string_view request) {
  Send(request);
  return ReadReply();
}

bool TestClient::Ended() {
  while (!broken_) {
    if (ReadSome().empty()) return !broken_;
  }
  // A reset is an end too; a time-out is none.
  return errno == ECONNRESET || errno == EPIPE;
}

void TestClient::CloseWrite() { ::shutdown(socket_.get(), SHUT_WR); }

void TestClient::Reset() {
  const linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket_.Reset();
}

}  // namespace brume::testing
