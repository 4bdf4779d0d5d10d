#pragma once

#include "base/clock.h"
#include "exec/executor_world.h"
#include "exec/local/local_executor.h"
#include "store/blob/file_blob_store.h"
#include "store/fs/posix_file_system.h"
#include "store/kv/memory_kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

// For tests: the local engine over a data folder of its own, with the two
// images of the conformance suite, made from Debian's busybox-static.
namespace brume::exec {

class LocalWorld final : public ExecutorWorld {
 public:
  LocalWorld();
  ~LocalWorld() override;

  Executor& executor() override { return *executor_; }
  void Restart() override;
  std::string Unable() override;

  void Close() { executor_.reset(); }
  void Open();
  std::filesystem::path folder() const { return top_; }
  std::filesystem::path task(const std::string& id) const {
    return top_ / "tasks" / id;
  }
  // Set before Open.
  void set_ca_file(std::string path) { ca_file_ = std::move(path); }

  // What listeners_ready gave, waited for; invalid sockets when it never came.
  runtime::SealedListeners AwaitListeners(const std::string& id);
  size_t listener_count();

  static std::unique_ptr<ExecutorWorld> Make() {
    return std::make_unique<LocalWorld>();
  }

 private:
  void AddImages();

  std::filesystem::path top_;
  std::string ca_file_;
  base::SystemClock clock_;
  std::unique_ptr<store::FileSystem> files_ = store::MakePosixFileSystem();
  store::MemoryKvStore kv_;
  std::unique_ptr<store::FileBlobStore> blobs_;
  std::unique_ptr<store::image::ImageStore> images_;
  std::unique_ptr<store::image::LayerStore> layers_;
  std::unique_ptr<LocalExecutor> executor_;
  absl::Mutex mutex_;
  std::map<std::string, runtime::SealedListeners> listeners_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::exec
