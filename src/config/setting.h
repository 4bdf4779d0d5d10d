#pragma once

#include <string>
#include <string_view>
#include <vector>

// The settings, as data. One row makes the flag, the environment variable, the
// validation, the line in --help and the line in docs/settings.md. To add a
// setting, add a row in setting.cc and name it in the commands that take it.
namespace brume::config {

enum class SettingKind {
  kSwitch,  // --name, --no-name; "1", "0", "true", "false" in the environment
  kText,
  kPort,    // 0 to 65535; 0 picks one
  kPath,    // made absolute
  kChoice,  // one of `choices`
  kList,    // may be repeated; separated by commas in the environment
};

struct Setting {
  std::string_view name;  // "allow-host": --allow-host
  char letter = 0;        // 'd': -d; 0 when there is none
  std::string_view env;   // "BRUME_ALLOW_HOST"; empty when there is none
  SettingKind kind = SettingKind::kSwitch;
  std::string_view metavar;   // "HOST"; empty for a switch
  std::string_view fallback;  // when nothing is given
  std::string_view help;      // one sentence
  std::vector<std::string_view> choices;
};

// Every setting, by name.
const std::vector<Setting>& SettingTable();

// nullptr when there is none of that name.
const Setting* FindSetting(std::string_view name);

// docs/settings.md.
std::string SettingsMarkdown();

}  // namespace brume::config
