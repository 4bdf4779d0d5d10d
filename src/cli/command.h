#pragma once

#include "config/values.h"

#include <absl/status/statusor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::cli {

// What a command is given.
struct Invocation {
  config::Values values;
  config::Environment environment;
};

// A row of the list in commands.cc. To add a command, write its file with a
// function that makes the row, and add it to the list.
struct Command {
  std::string_view name;
  std::string_view summary;  // one sentence
  std::string_view example;  // what --help begins with; lines
  // "-- CMD ARGS..."; empty when it takes none; in brackets when it need not
  // have any.
  std::string_view operands;
  std::vector<std::string_view> settings;
  // Options end at the first operand: the rest is another program's.
  bool runs_program = false;
  // The exit code. An error is one line on stderr and exit code 1.
  std::function<absl::StatusOr<int>(const Invocation&)> run;
};

// Every command, in the order of the help.
const std::vector<Command>& Commands();

std::string HelpOf(const Command& command);

// The program. 2 for a command line that cannot be read.
int Main(const std::vector<std::string>& arguments);

}  // namespace brume::cli
