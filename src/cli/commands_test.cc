#include "cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace brume::cli {
namespace {

TEST(CommandsTest, EveryRowIsCompleteAndItsHelpBeginsWithAnExample) {
  std::set<std::string_view> names;
  for (const Command& command : Commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_TRUE(command.summary.ends_with('.')) << command.name;
    EXPECT_NE(command.run, nullptr) << command.name;
    for (const std::string_view name : command.settings) {
      EXPECT_NE(config::FindSetting(name), nullptr) << name;
    }
    const std::string help = HelpOf(command);
    EXPECT_TRUE(help.starts_with("example:\n  ")) << help;
    EXPECT_THAT(help, testing::HasSubstr("brume " + std::string(command.name)));
  }
}

TEST(CommandsTest, EverySettingIsTakenBySomeCommand) {
  std::set<std::string_view> taken;
  for (const Command& command : Commands()) {
    taken.insert(command.settings.begin(), command.settings.end());
  }
  for (const config::Setting& setting : config::SettingTable()) {
    EXPECT_TRUE(taken.contains(setting.name)) << setting.name;
  }
}

TEST(CommandsTest, CommandLinesThatCannotBeReadExitWithTwo) {
  EXPECT_EQ(Main({}), 2);
  EXPECT_EQ(Main({"fly"}), 2);
  EXPECT_EQ(Main({"version", "--loud"}), 2);
  EXPECT_EQ(Main({"version", "word"}), 2);
  EXPECT_EQ(Main({"run"}), 2);
  EXPECT_EQ(Main({"version"}), 0);
  EXPECT_EQ(Main({"--version"}), 0);
  EXPECT_EQ(Main({"run", "--help"}), 0);
}

}  // namespace
}  // namespace brume::cli
