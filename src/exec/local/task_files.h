#pragma once

#include "base/unique_fd.h"
#include "exec/executor.h"
#include "store/image/manifest.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A task's folder, DATA/tasks/<id>: what server and supervisor tell each other
// in a way that outlives both.
//
//   spec.json     by the server: the task as it was accepted
//   launch.json   by the server, once the image is unpacked: what to run
//   stop.json     by the server: it shall end
//   launched      by the supervisor, before it starts the program: from here on
//                 nobody starts it again
//   started.json  by the supervisor: the program runs, since when
//   status.json   by the supervisor (or by the server when none was started):
//                 it ended, when and how. The last word.
//   log           by the supervisor, see output_log.h
//   lock          held while a supervisor lives
//   s             the socket on which it listens
//   upper, work, root, run, files, ...: the container's, removed at its end
//
// Every file but the log is renamed into place, so that it is read whole. What
// must not be forgotten is synced before: all but launch.json, which is made
// again until "launched" is there, and started.json, which is only shown.
namespace brume::exec {

struct TaskRecord {
  TaskSpec spec;
  absl::Time created;
};

struct LaunchPlan {
  store::image::ImageConfig image;
  std::vector<std::string> layers;  // folder names, lowest first
  std::string layers_folder;
  std::string ca_file;      // PEM; empty: the task trusts its image's CAs only
  uint16_t proxy_port = 0;  // see runtime::SealedNamespace
};

struct StopRequest {
  absl::Time asked;
  absl::Duration grace;
};

struct TaskEnd {
  TaskResult result;
  absl::Time ended;
};

// Thread-compatible: no state but the folder.
class TaskFiles {
 public:
  static absl::StatusOr<TaskFiles> Open(const std::string& folder);

  // What is absent is nullopt; what cannot be read is DATA_LOSS.
  absl::StatusOr<std::optional<TaskRecord>> ReadRecord() const;
  absl::StatusOr<std::optional<LaunchPlan>> ReadPlan() const;
  absl::StatusOr<std::optional<StopRequest>> ReadStop() const;
  absl::StatusOr<std::optional<absl::Time>> ReadStarted() const;
  absl::StatusOr<std::optional<TaskEnd>> ReadEnd() const;
  bool launched() const { return Exists("launched"); }

  absl::Status Write(const TaskRecord& record) const;
  absl::Status Write(const LaunchPlan& plan) const;
  absl::Status Write(const StopRequest& stop) const;
  absl::Status WriteLaunched() const;
  absl::Status WriteStarted(absl::Time started) const;
  absl::Status Write(const TaskEnd& end) const;

  // nullopt when another process holds it. Held while the descriptor is open
  // here, in no matter how many forked children.
  absl::StatusOr<std::optional<base::UniqueFd>> TakeLock() const;
  // Whether a supervisor lives. Does not disturb one that begins.
  absl::StatusOr<bool> IsLocked() const;

  bool Exists(const char* name) const;
  // The whole file; nullopt when absent.
  absl::StatusOr<std::optional<std::string>> ReadFile(const char* name) const;
  enum class Sync { kYes, kNo };
  absl::Status WriteFile(const char* name, std::string_view bytes,
                         Sync sync = Sync::kYes) const;
  int dir() const { return dir_.get(); }
  const std::string& folder() const { return folder_; }

 private:
  TaskFiles(std::string folder, base::UniqueFd dir)
      : folder_(std::move(folder)), dir_(std::move(dir)) {}

  std::string folder_;
  base::UniqueFd dir_;
};

}  // namespace brume::exec
