#include "client/url.h"

#include <gtest/gtest.h>

namespace brume::client {
namespace {

TEST(UrlTest, TakesUrlsApart) {
  const auto url =
      ParseUrl("https://storage.googleapis.com/storage/v1/b?project=p#x");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "storage.googleapis.com");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/storage/v1/b?project=p");
  EXPECT_EQ(url->Authority(), "storage.googleapis.com");
}

TEST(UrlTest, ReadsUsersPortsAndAddresses) {
  const auto proxy = ParseUrl("http://run%2D1:se%40cret@127.0.0.1:9443");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  EXPECT_EQ(proxy->user, "run-1");
  EXPECT_EQ(proxy->password, "se@cret");
  EXPECT_EQ(proxy->port, 9443);
  EXPECT_EQ(proxy->target, "/");
  EXPECT_EQ(proxy->Authority(), "127.0.0.1:9443");
  const auto six = ParseUrl("http://[::1]:80?a=b");
  ASSERT_TRUE(six.ok()) << six.status();
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->Authority(), "[::1]");
  EXPECT_EQ(six->target, "/?a=b");
}

TEST(UrlTest, RefusesWhatIsNone) {
  for (const char* text : {"", "storage.googleapis.com", "ftp://h/", "http://",
                           "http://h:0/", "http://h:70000/", "http://[::1/",
                           "http://u%zz@h/", "http://[::1]x/"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseUrl(text).status())) << text;
  }
}

}  // namespace
}  // namespace brume::client
