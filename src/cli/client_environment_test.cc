#include "cli/client_environment.h"

#include "cli/ca_bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Key;
using testing::Not;
using testing::Pair;

const ClientFiles kFiles = {.gcloud = "/c/gcloud",
                            .adc = "/c/gcloud/adc.json",
                            .boto = "/c/boto",
                            .docker = "/c/docker",
                            .netrc = "/c/netrc",
                            .ca_bundle = "/c/ca.pem"};
const Reach kReach = {.run = "train-1a2b",
                      .token = "secret",
                      .port = 9443,
                      .data = "/d",
                      .metadata = "127.0.0.1:9443"};

TEST(ClientEnvironmentTest, EveryClientFindsTheProxyTheRootsAndOurAccounts) {
  const auto set = ChangeFor(kReach, kFiles, {}).set;
  for (const char* name : {"HTTPS_PROXY", "https_proxy", "http_proxy",
                           "grpc_proxy", "ALL_PROXY"}) {
    EXPECT_THAT(
        set, Contains(Pair(name, "http://train-1a2b:secret@127.0.0.1:9443")));
  }
  for (const std::string_view name : CaVariables()) {
    EXPECT_THAT(set, Contains(Pair(std::string(name), "/c/ca.pem")));
  }
  EXPECT_THAT(set, Contains(Pair("CLOUDSDK_CONFIG", "/c/gcloud")));
  EXPECT_THAT(set, Contains(Pair("GOOGLE_APPLICATION_CREDENTIALS",
                                 "/c/gcloud/adc.json")));
  EXPECT_THAT(set,
              Contains(Pair("REGISTRY_AUTH_FILE", "/c/docker/config.json")));
  EXPECT_THAT(set, Contains(Pair("GCE_METADATA_ROOT", "127.0.0.1:9443")));
  EXPECT_THAT(set, Not(Contains(Key("HOME"))));
}

TEST(ClientEnvironmentTest, MetadataNamesAreNotTakenFromTheProxy) {
  const auto set = ChangeFor(kReach, kFiles, {}).set;
  EXPECT_EQ(set.at("NO_PROXY"), "127.0.0.1,localhost,::1");
  EXPECT_EQ(set.at("no_proxy"), set.at("NO_PROXY"));
}

TEST(ClientEnvironmentTest, WhoIsSealedOffHasTheRealMetadataAddress) {
  Reach reach = kReach;
  reach.metadata.clear();
  const auto set = ChangeFor(reach, kFiles, {}).set;
  EXPECT_EQ(set.at("GCE_METADATA_HOST"), "169.254.169.254");
  EXPECT_THAT(set.at("NO_PROXY"), testing::HasSubstr("169.254.169.254"));
}

TEST(ClientEnvironmentTest, WithoutCredentialsOfOursTheUsersAreTakenAway) {
  ClientFiles files = kFiles;
  files.adc.clear();
  const auto change =
      ChangeFor(kReach, files, {"GOOGLE_APPLICATION_CREDENTIALS"});
  EXPECT_THAT(change.unset, ElementsAre("GOOGLE_APPLICATION_CREDENTIALS"));
  EXPECT_THAT(change.set, Not(Contains(Key("GOOGLE_APPLICATION_CREDENTIALS"))));
}

TEST(ClientEnvironmentTest, WhatSpeaksForSomebodyElseIsTakenAway) {
  const auto change = ChangeFor(
      kReach, kFiles,
      {"PATH", "HOME", "GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_X",
       "CLOUDSDK_PROXY_PORT", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE",
       "BOTO_PATH", "CLOUDSDK_PYTHON", "CLOUDSDK_CORE_PROJECT"});
  EXPECT_THAT(
      change.unset,
      ElementsAre("BOTO_PATH", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE",
                  "CLOUDSDK_AUTH_X", "CLOUDSDK_PROXY_PORT",
                  "GOOGLE_OAUTH_ACCESS_TOKEN"));
}

TEST(ClientEnvironmentTest, AProjectIsNamedOnlyWhenItIsAsked) {
  EXPECT_THAT(ChangeFor(kReach, kFiles, {}).set,
              Not(Contains(Key("GOOGLE_CLOUD_PROJECT"))));
  Reach reach = kReach;
  reach.project = "lab";
  EXPECT_THAT(ChangeFor(reach, kFiles, {}).set,
              Contains(Pair("CLOUDSDK_CORE_PROJECT", "lab")));
  EXPECT_THAT(ChangedNames(), Contains("CLOUDSDK_CORE_PROJECT"));
}

}  // namespace
}  // namespace brume::cli
