#include "config/values.h"

#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace brume::config {
namespace {

// Letters to change to make one of the other; for "did you mean".
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1,
                         diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

const Setting* Find(const CommandLine& command, std::string_view name) {
  const auto& names = command.settings;
  return std::find(names.begin(), names.end(), name) == names.end()
             ? nullptr
             : FindSetting(name);
}

const Setting* FindLetter(const CommandLine& command, char letter) {
  for (const std::string_view name : command.settings) {
    const Setting* setting = FindSetting(name);
    if (setting != nullptr && setting->letter == letter) return setting;
  }
  return nullptr;
}

absl::Status NoSuchOption(const CommandLine& command, std::string_view word) {
  std::string message =
      base::StrCat("read option '", word, "': no such option");
  std::string_view best;
  size_t least = 3;
  for (const std::string_view name : command.settings) {
    const size_t distance =
        Distance(name, word.substr(std::min<size_t>(2, word.size())));
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  if (!best.empty())
    base::StrAppend(&message, "; did you mean '--", best, "'?");
  return absl::InvalidArgumentError(message);
}

absl::Status Bad(const Setting& setting, std::string_view value,
                 std::string_view why) {
  return absl::InvalidArgumentError(
      base::StrCat("read '--", setting.name, "': '", value, "' ", why));
}

absl::Status ReadEnvironment(const CommandLine& command,
                             const Environment& environment, Values& values) {
  for (const std::string_view name : command.settings) {
    const Setting* setting = FindSetting(name);
    if (setting == nullptr || setting->env.empty()) continue;
    const std::optional<std::string> text = environment(setting->env);
    if (!text.has_value() || text->empty()) continue;
    const absl::Status status =
        values.Set(*setting, *text, Values::Source::kEnvironment);
    if (!status.ok()) {
      return absl::InvalidArgumentError(base::StrCat(
          "environment variable ", setting->env, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

// Reads the option at `at` and whatever it takes; `at` is left on the last word
// that was used.
absl::Status ReadOption(const CommandLine& command,
                        const std::vector<std::string>& words, size_t& at,
                        Values& values) {
  const std::string& word = words[at];
  std::string_view name = word;
  std::optional<std::string_view> value;
  const Setting* setting = nullptr;
  if (word.starts_with("--")) {
    name.remove_prefix(2);
    if (const size_t equals = name.find('='); equals != name.npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    setting = Find(command, name);
    if (setting == nullptr && name.starts_with("no-") && !value.has_value()) {
      const Setting* positive = Find(command, name.substr(3));
      if (positive != nullptr && positive->kind == SettingKind::kSwitch) {
        return values.Set(*positive, "false", Values::Source::kFlag);
      }
    }
  } else if (word.size() == 2) {
    setting = FindLetter(command, word[1]);
  }
  if (setting == nullptr) return NoSuchOption(command, word);
  if (setting->kind == SettingKind::kSwitch) {
    return values.Set(*setting, value.value_or("true"), Values::Source::kFlag);
  }
  if (!value.has_value()) {
    if (at + 1 == words.size()) {
      return absl::InvalidArgumentError(base::StrCat("read '--", setting->name,
                                                     "': it needs a value, ",
                                                     setting->metavar));
    }
    value = words[++at];
  }
  return values.Set(*setting, *value, Values::Source::kFlag);
}

}  // namespace

bool Values::Has(std::string_view name) const {
  return entries_.contains(name);
}

Values::Source Values::SourceOf(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? Source::kDefault : found->second.source;
}

std::string Values::Text(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found != entries_.end()) return absl::StrJoin(found->second.values, ",");
  const Setting* setting = FindSetting(name);
  return setting == nullptr ? "" : std::string(setting->fallback);
}

bool Values::Switch(std::string_view name) const {
  return Text(name) == "true";
}

uint16_t Values::Port(std::string_view name) const {
  int port = 0;
  return absl::SimpleAtoi(Text(name), &port) ? static_cast<uint16_t>(port) : 0;
}

std::vector<std::string> Values::List(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? std::vector<std::string>()
                                 : found->second.values;
}

absl::Status Values::Set(const Setting& setting, std::string_view value,
                         Source source) {
  std::vector<std::string> values = {std::string(value)};
  switch (setting.kind) {
    case SettingKind::kSwitch:
      if (value == "1" || value == "true" || value == "yes") {
        values = {"true"};
      } else if (value == "0" || value == "false" || value == "no") {
        values = {"false"};
      } else {
        return Bad(setting, value, "is neither true nor false");
      }
      break;
    case SettingKind::kPort: {
      int port = 0;
      if (!absl::SimpleAtoi(base::ToAbsl(value), &port) || port < 0 ||
          port > 65535) {
        return Bad(setting, value, "is no port; give a number from 0 to 65535");
      }
      break;
    }
    case SettingKind::kPath: {
      if (value.empty()) return Bad(setting, value, "is no path");
      std::error_code error;
      const auto path = std::filesystem::absolute(value, error);
      if (error) return Bad(setting, value, "is no path");
      values = {path.lexically_normal().string()};
      if (values[0].size() > 1 && values[0].back() == '/') values[0].pop_back();
      break;
    }
    case SettingKind::kChoice:
      if (std::find(setting.choices.begin(), setting.choices.end(), value) ==
          setting.choices.end()) {
        std::string choices;
        for (const std::string_view choice : setting.choices) {
          base::StrAppend(&choices, choices.empty() ? "" : ", ", choice);
        }
        return Bad(setting, value, base::StrCat("is none of ", choices));
      }
      break;
    case SettingKind::kList:
      values = absl::StrSplit(base::ToAbsl(value), ',', absl::SkipEmpty());
      break;
    case SettingKind::kText:
      break;
  }
  Entry& entry = entries_[std::string(setting.name)];
  const bool adds =
      setting.kind == SettingKind::kList && entry.source == source;
  if (!adds) entry.values.clear();
  entry.values.insert(entry.values.end(), values.begin(), values.end());
  entry.source = source;
  return absl::OkStatus();
}

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

absl::StatusOr<Values> ParseArguments(const CommandLine& command,
                                      const std::vector<std::string>& arguments,
                                      const Environment& environment) {
  Values values;
  RETURN_IF_ERROR(ReadEnvironment(command, environment, values));
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string& word = arguments[at];
    if (word == "--" ||
        (command.stop_at_operand && (word.empty() || word[0] != '-'))) {
      for (size_t i = at + (word == "--" ? 1 : 0); i < arguments.size(); ++i) {
        values.AddOperand(arguments[i]);
      }
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      values.AddOperand(word);
      continue;
    }
    RETURN_IF_ERROR(ReadOption(command, arguments, at, values));
  }
  return values;
}

absl::StatusOr<std::string> DataFolder(const Values& values,
                                       const Environment& environment) {
  if (values.Has("data")) return values.Text("data");
  // XDG Base Directory Specification: a relative path there is ignored.
  const std::optional<std::string> xdg = environment("XDG_DATA_HOME");
  if (xdg.has_value() && xdg->starts_with('/')) return *xdg + "/brume";
  const std::optional<std::string> home = environment("HOME");
  if (home.has_value() && home->starts_with('/')) {
    return *home + "/.local/share/brume";
  }
  return absl::FailedPreconditionError(
      "find data folder: HOME is not set; name a folder with --data");
}

}  // namespace brume::config
