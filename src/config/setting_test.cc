#include "config/setting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace brume::config {
namespace {

TEST(SettingTest, RowsAreSortedAndComplete) {
  std::string_view before;
  std::set<char> letters;
  for (const Setting& setting : SettingTable()) {
    EXPECT_LT(before, setting.name);
    before = setting.name;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.name;
    EXPECT_EQ(setting.metavar.empty(), setting.kind == SettingKind::kSwitch)
        << setting.name;
    EXPECT_EQ(setting.choices.empty(), setting.kind != SettingKind::kChoice)
        << setting.name;
    if (!setting.env.empty()) {
      EXPECT_TRUE(setting.env.starts_with("BRUME_")) << setting.name;
    }
    if (setting.letter != 0) {
      EXPECT_TRUE(letters.insert(setting.letter).second) << setting.name;
    }
  }
}

TEST(SettingTest, DocsPageIsTheTable) {
  std::ifstream file(BRUME_SOURCE_DIR "/docs/settings.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), SettingsMarkdown())
      << "write it again: build/brume settings --markdown > docs/settings.md";
}

}  // namespace
}  // namespace brume::config
