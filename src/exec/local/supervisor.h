#pragma once

#include "base/unique_fd.h"
#include "exec/executor.h"
#include "exec/local/cgroup.h"
#include "exec/local/output_log.h"
#include "exec/local/task_files.h"
#include "runtime/sealed_namespace.h"

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace brume::exec {

// The process beside one task, from its start to its end, whether or not the
// server lives: it makes the task's network namespace and holds its listening
// sockets, starts the container with runc, writes what it prints to the log,
// ends it in time and says how it ended. One thread; everything happens in the
// loop of Run.
//
// It listens on the folder's socket "s" (SOCK_SEQPACKET, this user's alone).
// To a server that connects it sends
//   "L" with the listening sockets, in SealedListeners' order, once;
//   "C" whenever the task's state or log has changed;
// and takes "S": look at stop.json.
class Supervisor {
 public:
  // `lock` is the folder's; `server` the first server's connection or invalid.
  Supervisor(TaskFiles files, base::UniqueFd lock, base::UniqueFd server);

  // To the end of the task. What goes wrong is in its status; an error here
  // means that not even that could be written.
  absl::Status Run();

 private:
  using Cause = TaskResult::Cause;

  absl::Status Start();
  absl::Status Listen();
  [[noreturn]] void LaunchMain(int report, int out, int err);
  void Loop();
  bool Finished() const;
  // Milliseconds until something must be done by itself; -1: nothing.
  int PollTimeout() const;
  void OnTimers();
  void OnSignals();
  void Reap();
  void OnLaunched(int wait_status);
  void OnServer(size_t index);
  void Accept();
  void Greet(base::UniqueFd server);
  void Notify();
  void ReadPipe(base::UniqueFd& pipe, LineCutter& cutter, bool is_stderr);
  void CheckStop();
  // SIGTERM now, SIGKILL after `grace`. The first cause stays.
  void End(Cause cause, absl::Duration grace);
  TaskResult StartFailure() const;
  TaskResult ExitResult() const;
  absl::Status Finish(TaskResult result);
  // Kills what a supervisor that died has left, and says that it is lost.
  absl::Status Recover();
  void CleanUp();

  TaskFiles files_;
  base::UniqueFd lock_;
  TaskRecord record_;
  LaunchPlan plan_;
  CgroupSupport cgroups_;
  std::string cgroup_path_;
  std::unique_ptr<runtime::SealedNamespace> namespace_;
  base::UniqueFd signals_;
  base::UniqueFd listener_;
  std::vector<base::UniqueFd> servers_;

  base::UniqueFd report_;  // what LaunchMain says when it fails
  base::UniqueFd out_;
  base::UniqueFd err_;
  LineCutter out_lines_;
  LineCutter err_lines_;
  std::unique_ptr<LogWriter> log_;

  pid_t launcher_ = -1;
  pid_t init_ = -1;
  // Children reaped before it was known which is the container's.
  std::vector<std::pair<pid_t, int>> reaped_;
  std::optional<int> init_status_;  // of waitpid
  std::optional<TaskResult> start_failure_;
  std::optional<Cause> ended_by_;
  absl::Time timeout_at_ = absl::InfiniteFuture();
  absl::Time kill_at_ = absl::InfiniteFuture();
  absl::Time sync_at_ = absl::InfiniteFuture();
  absl::Time drain_until_ = absl::InfiniteFuture();
};

// The hidden mode of the program: FOLDER [FD], the task's folder and a
// descriptor of the first server's connection.
int SuperviseMain(int argc, char** argv);

}  // namespace brume::exec
