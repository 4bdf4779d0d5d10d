#pragma once

#include "base/unique_fd.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace brume::testing {

// A blocking client that sends what it is told, byte for byte, so that tests
// can be as ill-behaved as they like. Reads give up after ten seconds. Failed
// operations make `broken()` true and give nothing.
class TestClient {
 public:
  // Connected to 127.0.0.1:port.
  explicit TestClient(uint16_t port);
  // Over a socket that is connected already.
  explicit TestClient(base::UniqueFd socket);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // A TLS handshake as a client that trusts `ca_pem` alone and asks for `host`;
  // `alpn` in wire format ("\x08http/1.1"). False when it fails.
  bool StartTls(const std::string& ca_pem, const std::string& host,
                std::string_view alpn = {});

  TestClient& Send(std::string_view bytes);
  // Whatever comes next; empty at the end.
  std::string ReadSome();
  // Everything up to the end of the stream.
  std::string ReadAll();
  // Exactly up to and with `end`.
  std::string ReadUntil(std::string_view end);
  std::string ReadExactly(size_t size);

  struct Reply {
    int status = 0;
    std::string head;
    std::string body;  // chunks taken off
  };
  // One reply; `is_head` for one to HEAD, which has no body.
  Reply ReadReply(bool is_head = false);
  // Sends and reads.
  Reply Ask(std::string_view request);

  // The connection's other side has ended: true within ten seconds.
  bool Ended();
  void CloseWrite();
  // RST instead of FIN.
  void Reset();
  bool broken() const { return broken_; }

 private:
  base::UniqueFd socket_;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* tls_ = nullptr;
  std::string input_;
  bool broken_ = false;
};

}  // namespace brume::testing
