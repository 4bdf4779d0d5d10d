#include "config/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace brume::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Environment Fake(std::map<std::string, std::string, std::less<>> variables) {
  return [variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

const CommandLine kServer = {.settings = {"data", "port", "offline",
                                          "allow-host", "log-level", "daemon"}};

absl::StatusOr<Values> Parse(
    std::vector<std::string> words,
    std::map<std::string, std::string, std::less<>> variables = {}) {
  return ParseArguments(kServer, words, Fake(std::move(variables)));
}

TEST(ValuesTest, FlagBeatsEnvironmentBeatsDefault) {
  EXPECT_EQ(Parse({})->Port("port"), 9443);
  EXPECT_EQ(Parse({}, {{"BRUME_PORT", "1"}})->Port("port"), 1);
  const auto both = Parse({"--port", "2"}, {{"BRUME_PORT", "1"}});
  EXPECT_EQ(both->Port("port"), 2);
  EXPECT_EQ(both->SourceOf("port"), Values::Source::kFlag);
}

TEST(ValuesTest, ReadsEveryFormOfAnOption) {
  const auto values =
      Parse({"--port=5", "-d", "--allow-host", "a", "--allow-host=b,c",
             "--no-offline"},
            {{"BRUME_OFFLINE", "1"}, {"BRUME_ALLOW_HOST", "z"}});
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_EQ(values->Port("port"), 5);
  EXPECT_TRUE(values->Switch("daemon"));
  EXPECT_FALSE(values->Switch("offline"));
  EXPECT_THAT(values->List("allow-host"), ElementsAre("a", "b", "c"));
}

TEST(ValuesTest, WrongValuesAreRefusedWithTheirName) {
  EXPECT_THAT(Parse({"--port", "70000"}).status().message(),
              HasSubstr("read '--port': '70000' is no port"));
  EXPECT_THAT(Parse({"--log-level", "loud"}).status().message(),
              HasSubstr("is none of debug, info, warn, error"));
  EXPECT_THAT(Parse({}, {{"BRUME_PORT", "x"}}).status().message(),
              HasSubstr("environment variable BRUME_PORT"));
  EXPECT_THAT(Parse({"--port"}).status().message(),
              HasSubstr("it needs a value, N"));
  EXPECT_THAT(Parse({"--offline=perhaps"}).status().message(),
              HasSubstr("neither true nor false"));
}

TEST(ValuesTest, UnknownOptionsAreRefusedWithANearName) {
  EXPECT_EQ(Parse({"--prot", "1"}).status().message(),
            "read option '--prot': no such option; did you mean '--port'?");
  EXPECT_EQ(Parse({"-x"}).status().message(),
            "read option '-x': no such option");
  // A row of the table that this command does not take.
  EXPECT_FALSE(Parse({"--sealed"}).ok());
}

TEST(ValuesTest, OperandsOfAnotherProgramAreLeftAlone) {
  const CommandLine run = {.settings = {"offline"}, .stop_at_operand = true};
  const auto dashed = ParseArguments(
      run, {"--offline", "--", "ls", "--", "--offline"}, Fake({}));
  EXPECT_THAT(dashed->operands(), ElementsAre("ls", "--", "--offline"));
  const auto plain = ParseArguments(run, {"ls", "--offline", "-l"}, Fake({}));
  EXPECT_THAT(plain->operands(), ElementsAre("ls", "--offline", "-l"));
  EXPECT_FALSE(plain->Switch("offline"));
}

TEST(ValuesTest, DataFolderIsTheUsersOwn) {
  const Values none;
  EXPECT_EQ(*DataFolder(none, Fake({{"HOME", "/h"}})), "/h/.local/share/brume");
  EXPECT_EQ(*DataFolder(none, Fake({{"HOME", "/h"}, {"XDG_DATA_HOME", "/x"}})),
            "/x/brume");
  EXPECT_THAT(DataFolder(none, Fake({})).status().message(),
              HasSubstr("--data"));
  EXPECT_EQ(*DataFolder(*Parse({"--data", "/a/b/../c/"}), Fake({})), "/a/c");
}

}  // namespace
}  // namespace brume::config
