#pragma once

#include "front/certificates.h"
#include "front/connect_request.h"
#include "front/connection.h"
#include "front/grpc_bridge.h"
#include "front/http_session.h"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace brume::front {

// Decides by a connection's first bytes what it is, and serves it to its end:
// CONNECT, a TLS ClientHello, clear-text HTTP/2 or HTTP/1.1. Thread-safe: one
// object serves every connection.
class Dispatch {
 public:
  Dispatch(const HttpContext& http, GrpcBridge& grpc,
           CertificateAuthority& authority)
      : http_(http), grpc_(grpc), authority_(authority) {}

  // Never throws.
  boost::asio::awaitable<void> Serve(Connection* connection,
                                     HttpPeer peer) const;

 private:
  boost::asio::awaitable<FirstBytes> ReadFirst(Connection* connection,
                                               std::string* bytes) const;
  boost::asio::awaitable<bool> ReadMore(Connection* connection,
                                        std::string* bytes) const;
  boost::asio::awaitable<void> ServeConnect(Connection* connection,
                                            std::string bytes,
                                            HttpPeer peer) const;
  // All but CONNECT.
  boost::asio::awaitable<void> ServeInner(Connection* connection,
                                          std::string bytes, FirstBytes kind,
                                          HttpPeer peer) const;
  boost::asio::awaitable<void> ServeTls(Connection* connection,
                                        std::string bytes, HttpPeer peer) const;
  boost::asio::awaitable<void> HandToGrpc(Connection* connection,
                                          std::string bytes, bool tls,
                                          HttpPeer peer) const;
  // A foreign name on a sealed namespace's port 443.
  boost::asio::awaitable<void> PassThrough(Connection* connection,
                                           std::string bytes, std::string name,
                                           HttpPeer peer) const;
  // (No aggregate as parameter: g++ 12 destroys such a temporary twice.)
  boost::asio::awaitable<void> Refuse(Connection* connection, int status,
                                      std::string message) const;

  const HttpContext& http_;
  GrpcBridge& grpc_;
  CertificateAuthority& authority_;
};

}  // namespace brume::front
