#include "api/path_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::api {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::optional<PathTemplate::Bindings> Match(std::string_view text,
                                            std::string_view path) {
  const auto parsed = PathTemplate::Parse(text);
  return parsed ? parsed->Match(path) : std::nullopt;
}

TEST(PathTemplateTest, BindsVariables) {
  EXPECT_THAT(*Match("/v1/{name=projects/*/serviceAccounts/*}",
                     "/v1/projects/p/serviceAccounts/a%40b"),
              ElementsAre(Pair("name", "projects/p/serviceAccounts/a@b")));
  EXPECT_THAT(*Match("/v1/projects/{project_id}", "/v1/projects/p"),
              ElementsAre(Pair("project_id", "p")));
  EXPECT_THAT(*Match("/v3/{name=operations/**}", "/v3/operations/a/b/c"),
              ElementsAre(Pair("name", "operations/a/b/c")));
  EXPECT_THAT(*Match("/v1/{a=x/*}/y/{b}", "/v1/x/1/y/2"),
              ElementsAre(Pair("a", "x/1"), Pair("b", "2")));
}

TEST(PathTemplateTest, VerbsAreOfTheTemplate) {
  EXPECT_TRUE(
      Match("/v1/{r=projects/*}:getIamPolicy", "/v1/projects/p:getIamPolicy"));
  EXPECT_FALSE(
      Match("/v1/{r=projects/*}:getIamPolicy", "/v1/projects/p:setIamPolicy"));
  EXPECT_FALSE(Match("/v1/{r=projects/*}:getIamPolicy", "/v1/projects/p"));
}

TEST(PathTemplateTest, NeedsEverySegment) {
  EXPECT_FALSE(Match("/v1/{name=projects/*}", "/v1/projects/"));
  EXPECT_FALSE(Match("/v1/{name=projects/*}", "/v1/projects/a/b"));
  EXPECT_FALSE(Match("/v1/{name=projects/*}", "/v2/projects/a"));
  EXPECT_FALSE(Match("/v1/projects", "/v1"));
  EXPECT_FALSE(Match("/v1/{name=projects/*}", "/v1/projects/%zz"));
}

TEST(PathTemplateTest, KeepsEncodedSlashesOfLongVariables) {
  EXPECT_THAT(*Match("/v2/{logName=projects/*/logs/*}",
                     "/v2/projects/p/logs/a%2Fb%20c"),
              ElementsAre(Pair("logName", "projects/p/logs/a%2Fb c")));
}

TEST(PathTemplateTest, RefusesWhatIsNoTemplate) {
  EXPECT_FALSE(PathTemplate::Parse("v1/x"));
  EXPECT_FALSE(PathTemplate::Parse("/v1/{name"));
  EXPECT_FALSE(PathTemplate::Parse("/v1/{name}x"));
}

}  // namespace
}  // namespace brume::api
