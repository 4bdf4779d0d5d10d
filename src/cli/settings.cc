#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "config/setting.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace brume::cli {
namespace {

namespace json = boost::json;

// Settings that have a variable: those that hold beyond one command.
absl::StatusOr<int> Run(const Invocation& invocation) {
  if (invocation.values.Switch("markdown")) {
    Print(config::SettingsMarkdown());
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"SETTING", "VALUE", "FROM", "VARIABLE"}};
  json::array list;
  for (const config::Setting& setting : config::SettingTable()) {
    if (setting.env.empty()) continue;
    std::string value = invocation.values.Text(setting.name);
    if (setting.name == "data") {
      value = config::DataFolder(invocation.values, invocation.environment)
                  .value_or("");
    }
    std::string from = "default";
    switch (invocation.values.SourceOf(setting.name)) {
      case config::Values::Source::kDefault:
        break;
      case config::Values::Source::kEnvironment:
        from = "environment";
        break;
      case config::Values::Source::kFlag:
        from = "flag";
        break;
    }
    rows.push_back({std::string(setting.name), value.empty() ? "-" : value,
                    from, std::string(setting.env)});
    list.push_back(json::object{{"name", std::string(setting.name)},
                                {"value", value},
                                {"from", from},
                                {"variable", std::string(setting.env)}});
  }
  if (invocation.values.Switch("json")) {
    PrintJson(list);
  } else {
    Print(Table(rows));
  }
  return 0;
}

}  // namespace

Command SettingsCommand() {
  return {.name = "settings",
          .summary =
              "Show the settings as they are here, and where each comes "
              "from.",
          .example =
              "  brume settings\n"
              "  BRUME_PORT=0 brume settings --json",
          .settings = {"data", "port", "offline", "allow-host", "log-level",
                       "project", "upstream-proxy", "json", "markdown"},
          .run = Run};
}

}  // namespace brume::cli
