#include "store/image/manifest.h"

#include "store/image/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace brume::store::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kA = DigestOf("a");
const std::string kB = DigestOf("b");

std::string Error(std::string_view bytes, std::string_view type = "") {
  return std::string(ParseManifest(bytes, type).status().message());
}

TEST(ManifestTest, WrittenManifestsAreRead) {
  Manifest manifest;
  manifest.media_type = std::string(kOciManifest);
  manifest.config = {std::string(kOciConfig), kA, 7};
  manifest.layers = {{std::string(kOciLayerGzip), kB, 9}};

  const auto read = ParseManifest(WriteManifest(manifest), "");

  ASSERT_TRUE(read.ok()) << read.status();
  const auto& got = std::get<Manifest>(*read);
  EXPECT_EQ(got.config.digest, kA);
  ASSERT_EQ(got.layers.size(), 1u);
  EXPECT_EQ(got.layers[0].digest, kB);
  EXPECT_EQ(got.layers[0].size, 9u);
}

TEST(ManifestTest, AnIndexGivesTheEntryForThisMachine) {
  const std::string text =
      R"({"schemaVersion":2,"manifests":[{"mediaType":"m","digest":")" + kA +
      R"(","size":1,"platform":{"os":"linux","architecture":"s390x"}},)"
      R"({"mediaType":"m","digest":")" +
      kB + R"(","size":1,"platform":{"os":"linux","architecture":"amd64"}}]})";

  const auto read = ParseManifest(text, kDockerIndex);

  ASSERT_TRUE(read.ok()) << read.status();
  const auto chosen = ChoosePlatform(std::get<Index>(*read));
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->digest, kB);
}

TEST(ManifestTest, BadManifestsNameTheField) {
  EXPECT_THAT(Error("{"), HasSubstr("parse image manifest"));
  EXPECT_THAT(Error("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(Error(R"({"schemaVersion":1})"), HasSubstr("'schemaVersion'"));
  EXPECT_THAT(Error(R"({"schemaVersion":2})"), HasSubstr("'config'"));
  EXPECT_THAT(Error(R"({"schemaVersion":2,"config":{"digest":"md5:1"}})"),
              HasSubstr("'config.digest'"));
  EXPECT_THAT(Error(R"({"schemaVersion":2,"config":{"digest":")" + kA +
                    R"(","size":-1}})"),
              HasSubstr("'config.size'"));
  EXPECT_THAT(Error(R"({"schemaVersion":2})", "text/html"),
              HasSubstr("'text/html'"));
}

TEST(ManifestTest, ConfigsKeepWhatARunNeeds) {
  ImageConfig config;
  config.user = "1000:1000";
  config.working_dir = "/app";
  config.env = {"A=1"};
  config.entrypoint = {"python", "-m"};
  config.cmd = {"x"};
  config.labels = {{"k", "v"}};
  config.diff_ids = {kA};

  const auto read = ParseImageConfig(WriteImageConfig(config));

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->user, "1000:1000");
  EXPECT_EQ(read->working_dir, "/app");
  EXPECT_THAT(read->entrypoint, ElementsAre("python", "-m"));
  EXPECT_THAT(read->cmd, ElementsAre("x"));
  EXPECT_EQ(read->labels.at("k"), "v");
  EXPECT_THAT(read->diff_ids, ElementsAre(kA));
}

TEST(ManifestTest, NulCharactersInConfigsAreRefused) {
  EXPECT_FALSE(ParseImageConfig(R"({"config":{"Cmd":["a\u0000b"]}})").ok());
  EXPECT_TRUE(ParseImageConfig(R"({"config":{"Cmd":null,"Env":null}})").ok());
}

}  // namespace
}  // namespace brume::store::image
