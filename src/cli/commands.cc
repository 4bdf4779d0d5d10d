#include "cli/commands.h"

#include "base/str_cat.h"
#include "cli/output.h"
#include "config/setting.h"

#include <absl/status/status.h>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace brume::cli {
namespace {

constexpr size_t kHelpWidth = 78;
constexpr int kUsageError = 2;

// `text` in lines that begin at column `indent`.
std::string Wrap(std::string_view text, size_t indent) {
  std::string out;
  size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column > indent && column + 1 + word.size() > kHelpWidth) {
      base::StrAppend(&out, "\n", std::string(indent, ' '));
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string OptionLine(const config::Setting& setting) {
  constexpr size_t kColumn = 26;
  std::string left =
      setting.letter == 0
          ? "      "
          : base::StrCat("  -", std::string(1, setting.letter), ", ");
  base::StrAppend(&left, "--", setting.name, setting.metavar.empty() ? "" : " ",
                  setting.metavar);
  std::string help(setting.help);
  if (!setting.choices.empty()) {
    std::string choices;
    for (const std::string_view choice : setting.choices) {
      base::StrAppend(&choices, choices.empty() ? "" : ", ", choice);
    }
    base::StrAppend(&help, " One of ", choices, ".");
  }
  if (!setting.fallback.empty()) {
    base::StrAppend(&help, " [", setting.fallback, "]");
  }
  if (!setting.env.empty()) base::StrAppend(&help, " $", setting.env);
  left.resize(std::max(kColumn, left.size() + 2), ' ');
  return base::StrCat(left, Wrap(help, kColumn), "\n");
}

std::string Overview() {
  std::string out =
      "example:\n"
      "  brume up -d                      start the local cloud\n"
      "  brume run -- gcloud projects list\n"
      "\ncommands:\n";
  for (const Command& command : Commands()) {
    std::string left = base::StrCat("  ", command.name);
    left.resize(13, ' ');
    base::StrAppend(&out, left, Wrap(command.summary, 13), "\n");
  }
  out += "\n'brume COMMAND --help' says more.\n";
  return out;
}

int UsageError(std::string_view message, std::string_view help) {
  PrintError(base::StrCat(
      message, message.ends_with('?') ? " See '" : ". See '", help, "'"));
  return kUsageError;
}

bool AsksForHelp(const Command& command,
                 const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") return true;
    if (word == "--" ||
        (command.runs_program && (word.empty() || word[0] != '-'))) {
      return false;
    }
  }
  return false;
}

int RunCommandRow(const Command& command,
                  const std::vector<std::string>& words) {
  if (AsksForHelp(command, words)) {
    Print(HelpOf(command));
    return 0;
  }
  const std::string help = base::StrCat("brume ", command.name, " --help");
  Invocation invocation{.values = {},
                        .environment = config::ProcessEnvironment()};
  absl::StatusOr<config::Values> values = config::ParseArguments(
      {.settings = command.settings, .stop_at_operand = command.runs_program},
      words, invocation.environment);
  if (!values.ok())
    return UsageError(base::ToStd(values.status().message()), help);
  if (command.operands.empty() && !values->operands().empty()) {
    return UsageError(base::StrCat("read '", values->operands()[0],
                                   "': it takes no such word"),
                      help);
  }
  if (!command.operands.empty() && !command.operands.starts_with('[') &&
      values->operands().empty()) {
    return UsageError(base::StrCat(command.name, " needs ", command.operands),
                      help);
  }
  invocation.values = *std::move(values);
  const absl::StatusOr<int> code = command.run(invocation);
  if (code.ok()) return *code;
  PrintError(base::ToStd(code.status().message()));
  return 1;
}

}  // namespace

const std::vector<Command>& Commands() {
  static const auto* const commands = new std::vector<Command>{
      UpCommand(),      DownCommand(),   StatusCommand(),   RunCommand(),
      EnvCommand(),     TrainCommand(),  ImagesCommand(),   CallsCommand(),
      MethodsCommand(), CpCommand(),     LsCommand(),       CatCommand(),
      RmCommand(),      DoctorCommand(), SettingsCommand(), VersionCommand()};
  return *commands;
}

std::string HelpOf(const Command& command) {
  std::string out = base::StrCat("example:\n", command.example, "\n\n",
                                 Wrap(command.summary, 0), "\n\nusage: brume ",
                                 command.name, " [OPTIONS]");
  if (!command.operands.empty()) base::StrAppend(&out, " ", command.operands);
  out += "\n";
  if (!command.settings.empty()) out += "\noptions:\n";
  for (const std::string_view name : command.settings) {
    out += OptionLine(*config::FindSetting(name));
  }
  return out;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    Print(Overview());
    return kUsageError;
  }
  const std::string& name = arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    Print(Overview());
    return 0;
  }
  const std::string wanted = name == "--version" ? "version" : name;
  for (const Command& command : Commands()) {
    if (command.name == wanted) {
      return RunCommandRow(command, {arguments.begin() + 1, arguments.end()});
    }
  }
  return UsageError(base::StrCat("run '", name, "': there is no such command"),
                    "brume --help");
}

}  // namespace brume::cli
