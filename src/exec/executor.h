#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Runs containers to their end. An engine (local: runc) knows nothing of
// Vertex AI or Cloud Build: it is given an image, an argv, an identity and
// limits, and tells states, exit status and output.
namespace brume::exec {

struct TaskSpec {
  std::string id;     // [a-z0-9-]{1,63}, unique; names the task's folder
  std::string image;  // reference as the user wrote it, resolved by the engine
  // Docker's rules: `command` replaces ENTRYPOINT (and drops CMD), `args`
  // replaces CMD. nullopt keeps the image's.
  std::optional<std::vector<std::string>> command;
  std::optional<std::vector<std::string>> args;
  std::map<std::string, std::string> env;  // added over the image's
  std::string account;  // e-mail its metadata server speaks for
  std::string project;  // project id its metadata server tells
  std::string project_number;
  std::string zone;            // "us-central1-a", told by the metadata server
  std::string hostname;        // [a-z0-9-]{1,63}; empty: the id
  std::optional<double> cpus;  // cgroup limits, where permitted
  std::optional<uint64_t> memory;  // bytes
  absl::Duration timeout = absl::InfiniteDuration();
};

enum class TaskState { kPreparing, kRunning, kStopping, kEnded };

struct TaskResult {
  enum class Cause {
    kExited,       // exit_code is the program's (128+N when killed by signal N)
    kStartFailed,  // message says why: no such image, no such program, ...
    kTimedOut,
    kCancelled,
    kOutOfMemory,
    kLost,  // its supervisor died (power cut, kill -9): how it ended is unknown
  };
  Cause cause = Cause::kExited;
  int exit_code = 0;
  std::string message;
};

struct TaskStatus {
  TaskState state = TaskState::kPreparing;
  absl::Time created;
  std::optional<absl::Time> started;
  std::optional<absl::Time> ended;
  std::optional<TaskResult> result;  // set when ended
};

// One line (or piece of an over-long line) that the task printed.
struct OutputLine {
  absl::Time time;
  bool is_stderr = false;
  std::string text;  // without its newline; not necessarily UTF-8
};

// Thread-safe. A task outlives the server: after a restart the same ids answer.
// Unknown ids are NOT_FOUND.
class Executor {
 public:
  virtual ~Executor() = default;
  // INVALID_ARGUMENT for a bad spec, ALREADY_EXISTS for a used id. Returns once
  // the task is recorded durably; the image is unpacked and the program started
  // afterwards.
  virtual absl::Status Start(const TaskSpec& spec) = 0;
  virtual absl::StatusOr<TaskStatus> Inspect(std::string_view id) = 0;
  // Asks the program to end: SIGTERM, after `grace` SIGKILL. Returns once the
  // request is durable. OK for a task that has ended.
  virtual absl::Status Stop(std::string_view id, absl::Duration grace) = 0;
  // Output from byte offset `*position` of the task's log on; moves
  // `*position`. At most about 1 MiB; empty when there is nothing new.
  virtual absl::StatusOr<std::vector<OutputLine>> ReadOutput(
      std::string_view id, uint64_t* position) = 0;
  // Blocks until any task's state or output may have changed since it last
  // returned, or until `deadline`. For the one watcher thread of the owner.
  virtual void WaitForChange(absl::Time deadline) = 0;
  // Ids of all tasks known.
  virtual absl::StatusOr<std::vector<std::string>> List() = 0;
  // Forgets an ended task and its folder; FAILED_PRECONDITION before its end.
  virtual absl::Status Remove(std::string_view id) = 0;
};

}  // namespace brume::exec
