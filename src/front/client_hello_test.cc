#include "front/client_hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>

namespace brume::front {
namespace {

using ::testing::ElementsAre;

// A real client's first flight.
std::string MakeHello(const char* name, const std::string& alpn) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  if (name != nullptr) SSL_set_tlsext_host_name(ssl, name);
  SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()),
                      static_cast<unsigned>(alpn.size()));
  SSL_set_connect_state(ssl);
  SSL_do_handshake(ssl);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string hello(data, static_cast<size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

TEST(ClientHelloTest, TellsNameAndProtocols) {
  const HelloResult result = ParseClientHello(
      MakeHello("Storage.googleapis.com", "\x02h2\x08http/1.1"));

  ASSERT_EQ(result.state, HelloState::kComplete);
  EXPECT_EQ(result.hello.server_name, "storage.googleapis.com");
  EXPECT_THAT(result.hello.protocols, ElementsAre("h2", "http/1.1"));
  EXPECT_FALSE(result.hello.WantsGrpc());
}

TEST(ClientHelloTest, OffersOfH2AloneAreGrpc) {
  EXPECT_TRUE(ParseClientHello(MakeHello("x.googleapis.com", "\x02h2"))
                  .hello.WantsGrpc());
  EXPECT_TRUE(
      ParseClientHello(MakeHello("x.googleapis.com", "\x08grpc-exp\x02h2"))
          .hello.WantsGrpc());
  EXPECT_FALSE(ParseClientHello(MakeHello(nullptr, "")).hello.WantsGrpc());
}

TEST(ClientHelloTest, EveryPrefixNeedsMore) {
  const std::string hello = MakeHello("storage.googleapis.com", "\x02h2");
  for (size_t size = 0; size < hello.size(); ++size) {
    EXPECT_EQ(ParseClientHello(hello.substr(0, size)).state,
              HelloState::kNeedMore)
        << size;
  }
}

TEST(ClientHelloTest, MayBeSplitOverRecords) {
  const std::string hello = MakeHello("storage.googleapis.com", "\x02h2");
  const std::string message = hello.substr(5);
  std::string split;
  for (size_t at = 0; at < message.size(); at += 100) {
    const std::string part = message.substr(at, 100);
    split += std::string("\x16\x03\x01\x00", 4);
    split += static_cast<char>(part.size());
    split += part;
  }

  const HelloResult result = ParseClientHello(split);

  ASSERT_EQ(result.state, HelloState::kComplete);
  EXPECT_EQ(result.hello.server_name, "storage.googleapis.com");
}

TEST(ClientHelloTest, RefusesWhatIsNoClientHello) {
  EXPECT_EQ(ParseClientHello("GET / HTTP/1.1\r\n").state,
            HelloState::kMalformed);
  EXPECT_EQ(ParseClientHello(std::string("\x16\x03\x01\x00\x00", 5)).state,
            HelloState::kMalformed);
  EXPECT_EQ(
      ParseClientHello(std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9))
          .state,
      HelloState::kMalformed);
}

}  // namespace
}  // namespace brume::front
