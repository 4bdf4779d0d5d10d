#pragma once

#include "base/clock.h"
#include "base/unique_fd.h"
#include "exec/executor.h"
#include "exec/local/task_files.h"
#include "runtime/sealed_namespace.h"
#include "runtime/worker_pool.h"
#include "store/image/image_store.h"
#include "store/image/layer_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace brume::exec {

// Runs tasks on this machine with runc, as root or as an ordinary user who has
// subordinate ids. Each task has a folder FOLDER/<id> (task_files.h) and a
// supervisor process (supervisor.h) which outlives this object: Create finds
// tasks that still run, prepares again those whose program was not started yet,
// and tells of those whose supervisor died that they are lost.
class LocalExecutor final : public Executor {
 public:
  struct Options {
    std::string folder;  // of all tasks; made when missing
    // The program that runs SuperviseMain: {"/proc/self/exe", "__supervise"}.
    std::vector<std::string> supervisor;
    std::string ca_file;      // absolute path of our CA's PEM; empty: none
    uint16_t proxy_port = 0;  // see runtime::SealedNamespace
    size_t preparers = 2;     // images unpacked at the same time

    // The sockets on which the task's network is to be answered: whenever a
    // task begins, and for each that runs when this object is created. Called
    // from one thread of the executor's; must not block or call back.
    std::function<void(const TaskSpec&, runtime::SealedListeners)>
        listeners_ready;
    // The task ended: nothing more comes from there.
    std::function<void(const std::string& id)> listeners_gone;
  };

  // All references outlive the executor.
  static absl::StatusOr<std::unique_ptr<LocalExecutor>> Create(
      Options options, store::image::ImageStore& images,
      store::image::LayerStore& layers, const base::Clock& clock);
  // Tasks go on.
  ~LocalExecutor() override;

  // Names of the unpacked layers on which tasks of `folder` run that have not
  // ended (whether or not there is an executor).
  static absl::StatusOr<std::set<std::string>> LayersInUse(
      const std::string& folder);

  absl::Status Start(const TaskSpec& spec) override;
  absl::StatusOr<TaskStatus> Inspect(std::string_view id) override;
  absl::Status Stop(std::string_view id, absl::Duration grace) override;
  absl::StatusOr<std::vector<OutputLine>> ReadOutput(
      std::string_view id, uint64_t* position) override;
  void WaitForChange(absl::Time deadline) override;
  absl::StatusOr<std::vector<std::string>> List() override;
  absl::Status Remove(std::string_view id) override;

 private:
  // A supervisor's connection.
  struct Link {
    std::string id;
    base::UniqueFd socket;
    bool has_listeners = false;  // the watcher's alone
  };

  LocalExecutor(Options options, store::image::ImageStore& images,
                store::image::LayerStore& layers, const base::Clock& clock);

  absl::Status Find();
  absl::StatusOr<TaskFiles> OpenTask(std::string_view id) const;
  void SubmitPrepare(const std::string& id);
  absl::Status Prepare(const std::string& id);
  absl::Status SpawnSupervisor(const TaskFiles& files, const std::string& id);
  // Sees to a task that has no connection.
  absl::Status Revive(const std::string& id);
  absl::Status Connect(const TaskFiles& files, const std::string& id);
  void AddLink(const std::string& id, base::UniqueFd socket);
  // Ends a task that has no supervisor which would.
  void EndHere(const TaskFiles& files, TaskResult::Cause cause,
               std::string_view message);
  void Watch();
  // False when the connection is over.
  bool OnMessage(Link& link);
  void OnLinkEnded(Link& link);
  void Changed();
  void Wake();

  const Options options_;
  store::image::ImageStore& images_;
  store::image::LayerStore& layers_;
  const base::Clock& clock_;
  base::UniqueFd wake_;  // eventfd of the watcher

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t changes_seen_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::shared_ptr<Link>> links_ ABSL_GUARDED_BY(mutex_);
  // Supervisors that live but do not listen yet.
  std::set<std::string> unreached_ ABSL_GUARDED_BY(mutex_);
  // Supervisors started for a task by this object.
  std::map<std::string, int> spawned_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<runtime::WorkerPool> preparers_;
  std::thread watcher_;
};

}  // namespace brume::exec
