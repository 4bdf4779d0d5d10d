#include "store/image/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace brume::store::image {
namespace {

using ::testing::HasSubstr;

std::string Canonical(std::string_view text) {
  auto parsed = ParseReference(text);
  return parsed.ok() ? parsed->ToString()
                     : std::string(parsed.status().message());
}

constexpr char kDigest[] =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(ReferenceTest, ShortNamesBecomeDockerHubNames) {
  EXPECT_EQ(Canonical("ubuntu"), "docker.io/library/ubuntu:latest");
  EXPECT_EQ(Canonical("bitnami/redis:7"), "docker.io/bitnami/redis:7");
  EXPECT_EQ(Canonical("index.docker.io/alpine"),
            "docker.io/library/alpine:latest");
}

TEST(ReferenceTest, HostsAndPortsAreTold) {
  EXPECT_EQ(Canonical("localhost/x"), "localhost/x:latest");
  EXPECT_EQ(Canonical("localhost:5000/a/b:v1"), "localhost:5000/a/b:v1");
  EXPECT_EQ(Canonical("us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3"),
            "us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3:latest");
}

TEST(ReferenceTest, DigestsKeepTheirTag) {
  EXPECT_EQ(Canonical(std::string("a.b/c@") + kDigest),
            std::string("a.b/c@") + kDigest);
  EXPECT_EQ(Canonical(std::string("a.b/c:t@") + kDigest),
            std::string("a.b/c:t@") + kDigest);
}

TEST(ReferenceTest, BadNamesAreRefused) {
  EXPECT_THAT(Canonical(""), HasSubstr("it is empty"));
  EXPECT_THAT(Canonical("a.b/Upper"), HasSubstr("must be lowercase"));
  EXPECT_THAT(Canonical("a.b/../c"), HasSubstr("invalid reference format"));
  EXPECT_THAT(Canonical("a.b/c:"), HasSubstr("invalid tag"));
  EXPECT_THAT(Canonical("a.b/c:x/y:"), HasSubstr("invalid tag"));
  EXPECT_THAT(Canonical("a.b/c@sha256:12"), HasSubstr("64 hex digits"));
  EXPECT_THAT(Canonical("a.b/" + std::string(260, 'x')),
              HasSubstr("not be more than 255"));
  EXPECT_THAT(Canonical("a..b/c"), HasSubstr("invalid registry host"));
  EXPECT_THAT(Canonical("a b"), HasSubstr("invalid reference format"));
}

TEST(ReferenceTest, PrebuiltNamesHaveOneCanonicalForm) {
  const std::string one =
      "us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3";
  EXPECT_EQ(CanonicalPrebuiltName(one), one);
  EXPECT_EQ(CanonicalPrebuiltName(one + ".py310"), one);
  EXPECT_EQ(CanonicalPrebuiltName(
                "europe-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3"),
            one);
  EXPECT_EQ(CanonicalPrebuiltName("us-docker.pkg.dev/p/r/x.py310"),
            "us-docker.pkg.dev/p/r/x.py310");
}

}  // namespace
}  // namespace brume::store::image
