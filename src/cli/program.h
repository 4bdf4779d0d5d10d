#pragma once

#include "cli/client_environment.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <string>
#include <vector>

namespace brume::cli {

struct Program {
  std::vector<std::string> argv;  // argv[0] is looked up on PATH
  EnvironmentChange environment;
  // In the child, before the program: where it moves into namespaces. Null:
  // nothing.
  std::function<absl::Status()> enter;
};

// Runs it on our terminal with all our descriptors, hands signals on to it, and
// returns its exit code as a shell would tell it: 128 + N after signal N, 127
// when there is no such program, 126 when it cannot be run. An error is one of
// `enter` or of the system. For a process with one thread.
absl::StatusOr<int> RunProgram(const Program& program);

}  // namespace brume::cli
