#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Other programs as children. Safe to call from a process with many threads:
// between fork and exec only async-signal-safe functions run.
namespace brume::runtime {

struct ChildOptions {
  // argv[0] is found on PATH unless it holds a '/'.
  std::vector<std::string> argv;
  // nullopt: our own environment.
  std::optional<std::map<std::string, std::string>> env;
  // Descriptors of the child: (ours, its number). 0, 1 and 2 that are not
  // named are /dev/null; every other descriptor of ours is closed.
  std::vector<std::pair<int, int>> fds;
  std::string working_dir;  // empty: ours
  // A session of its own and no child of ours: it outlives us, is not stopped
  // by a terminal's Ctrl-C and need not be waited for.
  bool detached = false;
  // SIGKILLed when the thread that started it ends. Not with `detached`.
  bool die_with_parent = false;
};

// Starts it; an exec that fails is an error here ("run '<program>': ...", with
// NOT_FOUND when there is no such program). The pid of a detached child is not
// ours to wait for.
absl::StatusOr<pid_t> SpawnChild(const ChildOptions& options);

// Waits for a child; its exit code, or 128+N when signal N ended it.
absl::StatusOr<int> WaitChild(pid_t pid);

// Runs it to its end with `input` as standard input; both outputs are caught.
// Outputs beyond 1 MiB are dropped.
struct ChildOutput {
  int exit_code = 0;
  std::string out;
  std::string err;
};
absl::StatusOr<ChildOutput> RunChild(ChildOptions options);

// Both ends close-on-exec.
struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};
absl::StatusOr<Pipe> MakePipe();

}  // namespace brume::runtime
