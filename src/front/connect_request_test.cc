#include "front/connect_request.h"

#include <gtest/gtest.h>

#include <string>

namespace brume::front {
namespace {

TEST(SniffTest, FirstBytesDecide) {
  EXPECT_EQ(Sniff(""), FirstBytes::kNeedMore);
  EXPECT_EQ(Sniff("\x16\x03"), FirstBytes::kTls);
  EXPECT_EQ(Sniff("CONN"), FirstBytes::kNeedMore);
  EXPECT_EQ(Sniff("CONNECT a:1 HTTP/1.1"), FirstBytes::kConnect);
  EXPECT_EQ(Sniff("PRI * HT"), FirstBytes::kNeedMore);
  EXPECT_EQ(Sniff("PRI * HTTP/2.0\r\n\r\n"), FirstBytes::kHttp2);
  EXPECT_EQ(Sniff("GET / HTTP/1.1"), FirstBytes::kHttp1);
  EXPECT_EQ(Sniff("PUT /"), FirstBytes::kHttp1);
  EXPECT_EQ(Sniff(std::string("\0x", 2)), FirstBytes::kUnknown);
}

TEST(ConnectRequestTest, ReadsBothVersionsWithAndWithoutHost) {
  const auto bare =
      ParseConnect("CONNECT Storage.googleapis.com:443 HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(bare.has_value());
  EXPECT_EQ(bare->host, "storage.googleapis.com");
  EXPECT_EQ(bare->port, 443);
  EXPECT_EQ(bare->user, "");

  const auto full = ParseConnect(
      "CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org\r\n"
      "proxy-authorization: basic cnVuOnRvOmtlbg==\r\n\r\n");
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->user, "run");
  EXPECT_EQ(full->password, "to:ken");
}

TEST(ConnectRequestTest, RefusesMalformedHeads) {
  for (const char* head :
       {"CONNECT pypi.org HTTP/1.1\r\n\r\n", "CONNECT :443 HTTP/1.1\r\n\r\n",
        "CONNECT a:0 HTTP/1.1\r\n\r\n", "CONNECT a:99999 HTTP/1.1\r\n\r\n",
        "CONNECT a:443 HTTP/2.0\r\n\r\n", "CONNECT a:443\r\n\r\n", "GET /",
        "CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: Bearer x\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: Basic !\r\n\r\n"}) {
    EXPECT_FALSE(ParseConnect(head).has_value()) << head;
  }
}

}  // namespace
}  // namespace brume::front
