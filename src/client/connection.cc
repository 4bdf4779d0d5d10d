#include "client/connection.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace brume::client {
namespace {

constexpr size_t kMaxConnectReply = 16 * 1024;

absl::Status ErrnoFailure(std::string_view action, int error) {
  const std::string message = base::StrCat(action, ": ", std::strerror(error));
  if (error == EAGAIN || error == EWOULDBLOCK || error == ETIMEDOUT) {
    return absl::DeadlineExceededError(message);
  }
  return absl::UnavailableError(message);
}

void SetTimeout(int socket, absl::Duration timeout) {
  const timeval value = absl::ToTimeval(timeout);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof(value));
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof(value));
}

absl::StatusOr<base::UniqueFd> Dial(const Url& url, absl::Duration timeout) {
  const std::string action =
      base::StrCat("connect to '", url.host, ":", url.port, "'");
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int looked = ::getaddrinfo(
      url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (looked != 0) {
    return absl::UnavailableError(
        base::StrCat(action, ": ", ::gai_strerror(looked)));
  }
  int error = EHOSTUNREACH;
  base::UniqueFd socket;
  for (addrinfo* at = found; at != nullptr; at = at->ai_next) {
    socket.Reset(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) {
      error = errno;
      continue;
    }
    SetTimeout(socket.get(), timeout);
    if (::connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) break;
    error = errno == EINPROGRESS ? ETIMEDOUT : errno;
    socket.Reset();
  }
  ::freeaddrinfo(found);
  if (!socket.valid()) return ErrnoFailure(action, error);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

std::string TlsCause() {
  char text[256] = "the connection ended";
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> Transport::Create(Options options) {
  // OpenSSL writes without MSG_NOSIGNAL.
  ::signal(SIGPIPE, SIG_IGN);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return absl::InternalError("set up TLS");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const int loaded = options.ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context)
                         : SSL_CTX_load_verify_locations(
                               context, options.ca_file.c_str(), nullptr);
  if (loaded != 1) {
    SSL_CTX_free(context);
    return absl::InvalidArgumentError(base::StrCat(
        "read CA certificates '", options.ca_file, "': ", TlsCause()));
  }
  return std::unique_ptr<Transport>(new Transport(std::move(options), context));
}

Transport::~Transport() { SSL_CTX_free(context_); }

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    const Transport& transport, const Url& url) {
  const std::optional<Url>& proxy = transport.options().proxy;
  ASSIGN_OR_RETURN(base::UniqueFd socket, Dial(proxy.has_value() ? *proxy : url,
                                               transport.options().timeout));
  auto out = std::unique_ptr<Connection>(new Connection(std::move(socket)));
  if (proxy.has_value() && url.tls) {
    RETURN_IF_ERROR(out->Tunnel(*proxy, url));
  }
  out->to_proxy_ = proxy.has_value() && !url.tls;
  if (url.tls) {
    RETURN_IF_ERROR(out->StartTls(transport.context(), url.host));
  }
  return out;
}

Connection::~Connection() { SSL_free(ssl_); }

absl::Status Connection::Tunnel(const Url& proxy, const Url& url) {
  const std::string target = base::StrCat(url.host, ":", url.port);
  std::string request =
      base::StrCat("CONNECT ", target, " HTTP/1.1\r\nHost: ", target, "\r\n");
  if (!proxy.user.empty()) {
    base::StrAppend(&request, "Proxy-Authorization: ", BasicCredentials(proxy),
                    "\r\n");
  }
  request += "\r\n";
  RETURN_IF_ERROR(Write(request));
  // Byte by byte: what follows the head belongs to TLS.
  std::string reply;
  while (!reply.ends_with("\r\n\r\n")) {
    char byte = 0;
    ASSIGN_OR_RETURN(const size_t got, Read(&byte, 1));
    if (got == 0 || reply.size() > kMaxConnectReply) {
      return absl::UnavailableError(
          base::StrCat("reach '", url.host,
                       "' through the proxy: it closed "
                       "the connection"));
    }
    reply += byte;
  }
  const size_t space = reply.find(' ');
  if (reply.substr(space + 1, 1) == "2") return absl::OkStatus();
  return absl::FailedPreconditionError(
      base::StrCat("reach '", url.host, "' through the proxy: ",
                   reply.substr(space + 1, reply.find('\r') - space - 1)));
}

absl::Status Connection::StartTls(ssl_ctx_st* context,
                                  const std::string& host) {
  ssl_ = SSL_new(context);
  if (ssl_ == nullptr || SSL_set_fd(ssl_, socket_.get()) != 1 ||
      SSL_set_tlsext_host_name(ssl_, host.c_str()) != 1 ||
      SSL_set1_host(ssl_, host.c_str()) != 1) {
    return absl::InternalError("set up TLS");
  }
  const int result = SSL_connect(ssl_);
  if (result == 1) return absl::OkStatus();
  if (const long verdict = SSL_get_verify_result(ssl_); verdict != X509_V_OK) {
    ERR_clear_error();
    return absl::FailedPreconditionError(base::StrCat(
        "trust '", host, "': ", X509_verify_cert_error_string(verdict)));
  }
  return Failure(base::StrCat("start TLS with '", host, "'"), result);
}

absl::Status Connection::Failure(std::string_view action, int result) const {
  const int error = errno;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return ErrnoFailure(action, ETIMEDOUT);
    case SSL_ERROR_SYSCALL:
      if (ERR_peek_error() == 0 && error != 0) {
        return ErrnoFailure(action, error);
      }
      break;
    default:
      break;
  }
  return absl::UnavailableError(base::StrCat(action, ": ", TlsCause()));
}

absl::Status Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    errno = 0;
    const ssize_t put =
        ssl_ != nullptr
            ? SSL_write(
                  ssl_, bytes.data(),
                  static_cast<int>(std::min<size_t>(bytes.size(), 1 << 20)))
            : ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) {
      if (errno == EINTR) continue;
      return ssl_ != nullptr ? Failure("send", static_cast<int>(put))
                             : ErrnoFailure("send", errno);
    }
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> Connection::Read(char* buffer, size_t size) {
  while (true) {
    errno = 0;
    const ssize_t got =
        ssl_ != nullptr
            ? SSL_read(ssl_, buffer,
                       static_cast<int>(std::min<size_t>(size, 1 << 20)))
            : ::recv(socket_.get(), buffer, size, 0);
    if (got > 0) return static_cast<size_t>(got);
    if (errno == EINTR) continue;
    if (ssl_ == nullptr) {
      if (got == 0) return 0;
      return ErrnoFailure("receive", errno);
    }
    if (SSL_get_error(ssl_, static_cast<int>(got)) == SSL_ERROR_ZERO_RETURN) {
      return 0;
    }
    return Failure("receive", static_cast<int>(got));
  }
}

std::string BasicCredentials(const Url& url) {
  return base::StrCat(
      "Basic ", base::Base64Encode(base::StrCat(url.user, ":", url.password)));
}

}  // namespace brume::client
