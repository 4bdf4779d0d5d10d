#include "front/http_head.h"

#include <boost/beast/http/verb.hpp>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace brume::front {
namespace {

namespace http = boost::beast::http;

class RouteRequestTest : public ::testing::Test {
 protected:
  // 0 when the request is let through, -1 when it is to be passed on, else the
  // refusal's status.
  int Ask(const std::string& target, const std::string& host,
          const std::string& origin = "") {
    http::request<http::buffer_body> request(http::verb::get, target, 11);
    if (!host.empty()) request.set(http::field::host, host);
    if (!origin.empty()) request.set(http::field::origin, origin);
    auto made = RouteRequest(request, peer_, true);
    if (auto* refusal = std::get_if<api::Response>(&made)) {
      return refusal->status;
    }
    if (std::holds_alternative<ForeignRequest>(made)) return -1;
    head_ = std::get<api::RequestHead>(std::move(made));
    return 0;
  }

  std::vector<std::string> allowed_{"brume.lan"};
  HttpPeer peer_{{}, "", &allowed_};
  api::RequestHead head_;
};

TEST_F(RouteRequestTest, HostMustBeOurs) {
  EXPECT_EQ(Ask("/b", "127.0.0.1:9443"), 0);
  EXPECT_EQ(head_.host, "");
  EXPECT_EQ(head_.base_url, "http://127.0.0.1:9443");
  EXPECT_EQ(Ask("/b", "storage.googleapis.com"), 0);
  EXPECT_EQ(head_.host, "storage.googleapis.com");
  EXPECT_EQ(Ask("/b", "brume.lan"), 0);
  EXPECT_EQ(Ask("/b", "evil.example"), 403);
  EXPECT_EQ(Ask("/b", ""), 400);
}

TEST_F(RouteRequestTest, AbsoluteFormNamesTheHost) {
  EXPECT_EQ(Ask("http://storage.googleapis.com/b?x=1", "127.0.0.1"), 0);
  EXPECT_EQ(head_.host, "storage.googleapis.com");
  EXPECT_EQ(head_.target, "/b?x=1");
  EXPECT_EQ(Ask("ftp://storage.googleapis.com/", "127.0.0.1"), 400);
}

TEST_F(RouteRequestTest, WebPagesDoNotReachUs) {
  EXPECT_EQ(Ask("/b", "127.0.0.1", "http://localhost:3000"), 0);
  EXPECT_EQ(Ask("/b", "127.0.0.1", "http://brume.lan"), 0);
  EXPECT_EQ(Ask("/b", "127.0.0.1", "https://evil.example"), 403);
  // A page may be stored in a bucket.
  EXPECT_EQ(Ask("/b", "127.0.0.1", "https://storage.googleapis.com"), 403);
  EXPECT_EQ(Ask("/b", "127.0.0.1", "null"), 403);
}

TEST_F(RouteRequestTest, StoredTextCannotEndAField) {
  api::Response response;
  response.headers.Add("Content-Disposition", "a\r\nSet-Cookie: x");
  EXPECT_EQ(FormatHead(response, {}).find("\r\nSet-Cookie"), std::string::npos);
}

}  // namespace
}  // namespace brume::front
