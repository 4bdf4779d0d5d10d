#pragma once

#include "base/unique_fd.h"
#include "client/url.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace brume::client {

// Trust and way of a client's connections. Immutable, shared by connections.
class Transport {
 public:
  struct Options {
    // An HTTP proxy: https goes through CONNECT, http in absolute form.
    std::optional<Url> proxy;
    std::string ca_file;  // PEM; empty: OpenSSL's own places
    // Of one read or write, and of connecting.
    absl::Duration timeout = absl::Minutes(2);
  };
  // INVALID_ARGUMENT when the roots cannot be read.
  static absl::StatusOr<std::unique_ptr<Transport>> Create(Options options);
  ~Transport();

  const Options& options() const { return options_; }
  ssl_ctx_st* context() const { return context_; }

 private:
  Transport(Options options, ssl_ctx_st* context)
      : options_(std::move(options)), context_(context) {}
  const Options options_;
  ssl_ctx_st* const context_;
};

// A blocking byte stream to a host, over TLS where the URL says so: its name is
// checked. Errors are UNAVAILABLE (worth another try), DEADLINE_EXCEEDED, or
// FAILED_PRECONDITION when it is not trusted or the proxy refuses.
class Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Open(
      const Transport& transport, const Url& url);
  ~Connection();

  absl::Status Write(std::string_view bytes);
  // 0 at the end.
  absl::StatusOr<size_t> Read(char* buffer, size_t size);
  // Requests on it are in absolute form.
  bool to_proxy() const { return to_proxy_; }

 private:
  explicit Connection(base::UniqueFd socket) : socket_(std::move(socket)) {}
  absl::Status Tunnel(const Url& proxy, const Url& url);
  absl::Status StartTls(ssl_ctx_st* context, const std::string& host);
  absl::Status Failure(std::string_view action, int result) const;

  base::UniqueFd socket_;
  ssl_st* ssl_ = nullptr;
  bool to_proxy_ = false;
};

// "Basic ..." for a proxy's or a server's user.
std::string BasicCredentials(const Url& url);

}  // namespace brume::client
