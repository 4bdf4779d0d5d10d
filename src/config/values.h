#pragma once

#include "config/setting.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::config {

// What one command line and its environment say. Values are checked against
// their rows when they are read in, so the getters cannot fail.
class Values {
 public:
  // Where a value came from.
  enum class Source { kDefault, kEnvironment, kFlag };

  bool Has(std::string_view name) const;  // by flag or environment
  Source SourceOf(std::string_view name) const;
  // The text as given, or the default; lists are joined by commas.
  std::string Text(std::string_view name) const;
  bool Switch(std::string_view name) const;
  uint16_t Port(std::string_view name) const;
  std::vector<std::string> List(std::string_view name) const;

  // Operands: what is no option, and all that follows "--".
  const std::vector<std::string>& operands() const { return operands_; }

  // INVALID_ARGUMENT when the value does not fit the row.
  absl::Status Set(const Setting& setting, std::string_view value,
                   Source source);
  void AddOperand(std::string operand) {
    operands_.push_back(std::move(operand));
  }

 private:
  struct Entry {
    std::vector<std::string> values;
    Source source = Source::kDefault;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> operands_;
};

// Reads a variable of the environment; nullopt when it is not set.
using Environment =
    std::function<std::optional<std::string>(std::string_view name)>;
// The process's own.
Environment ProcessEnvironment();

struct CommandLine {
  // Names of the rows that the command takes.
  std::vector<std::string_view> settings;
  // Options end at the first operand: the rest is another program's.
  bool stop_at_operand = false;
};

// INVALID_ARGUMENT with a line for the user.
absl::StatusOr<Values> ParseArguments(const CommandLine& command,
                                      const std::vector<std::string>& arguments,
                                      const Environment& environment);

// The data folder that --data or BRUME_DATA names, or the user's.
// FAILED_PRECONDITION when neither these nor HOME are set.
absl::StatusOr<std::string> DataFolder(const Values& values,
                                       const Environment& environment);

}  // namespace brume::config
