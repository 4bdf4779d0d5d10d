#include "front/served_hosts.h"

#include <gtest/gtest.h>

namespace brume::front {
namespace {

TEST(ServedHostsTest, GooglesApisAreOursDownloadsAreNot) {
  for (const char* host :
       {"storage.googleapis.com", "us-central1-aiplatform.googleapis.com",
        "b.storage.googleapis.com", "us-central1-docker.pkg.dev", "gcr.io",
        "eu.gcr.io", "accounts.google.com", "metadata.google.internal"}) {
    EXPECT_TRUE(IsServedHost(host)) << host;
  }
  for (const char* host :
       {"dl.google.com", "packages.cloud.google.com", "pypi.org", "google.com",
        "notgcr.io", "googleapis.com.evil.org", "evilgoogleapis.com"}) {
    EXPECT_FALSE(IsServedHost(host)) << host;
  }
}

TEST(ServedHostsTest, CanonicalFormHasNoPortDotOrCase) {
  EXPECT_EQ(CanonicalHost("Storage.GoogleApis.com:443"),
            "storage.googleapis.com");
  EXPECT_EQ(CanonicalHost("metadata.google.internal.:80"),
            "metadata.google.internal");
  EXPECT_EQ(CanonicalHost("[::1]:9443"), "::1");
  EXPECT_TRUE(IsLoopbackHost("127.0.0.1"));
  EXPECT_FALSE(IsLoopbackHost("127.evil.org"));
}

TEST(ServedHostsTest, HostsAreMadeOfFewCharacters) {
  for (const char* host : {"a.b-c.d_e", "::1", "127.0.0.1", "X"}) {
    EXPECT_TRUE(IsHostText(host)) << host;
  }
  for (const char* host : {"", "a b", "a\tb", "a@b", "a/b", "a\r\nb", "\xc3"}) {
    EXPECT_FALSE(IsHostText(host)) << host;
  }
}

}  // namespace
}  // namespace brume::front
