#include "store/blob/directory_syncs.h"

#include "store/fs/crash_file_system.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace brume::store {
namespace {

// Holds the first sync until it is told to let go.
class SlowSyncs final : public FileSystem {
 public:
  absl::Status SyncDirectory(const std::string& path,
                             std::string_view label) override {
    absl::MutexLock lock(&mutex_);
    ++syncs_;
    if (syncs_ == 1) mutex_.Await(absl::Condition(&open_));
    if (fail_) return absl::InternalError("no disk");
    return disk_.SyncDirectory(path, label);
  }
  void LetGo() {
    absl::MutexLock lock(&mutex_);
    open_ = true;
  }
  void Fail(bool fail) {
    absl::MutexLock lock(&mutex_);
    fail_ = fail;
  }
  int syncs() {
    absl::MutexLock lock(&mutex_);
    return syncs_;
  }
  void AwaitFirst() {
    absl::MutexLock lock(&mutex_);
    const auto begun = [this] { return syncs_ > 0; };
    mutex_.Await(absl::Condition(&begun));
  }

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string&,
                                             OpenMode) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<FileInfo> Stat(const std::string&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string&) override {
    return absl::UnimplementedError("");
  }
  absl::Status MakeDirectory(const std::string&) override {
    return absl::UnimplementedError("");
  }
  absl::Status Rename(const std::string&, const std::string&) override {
    return absl::UnimplementedError("");
  }
  absl::Status Unlink(const std::string&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string&) override {
    return absl::UnimplementedError("");
  }

 private:
  CrashFileSystem disk_;
  absl::Mutex mutex_;
  int syncs_ = 0;
  bool open_ = false;
  bool fail_ = false;
};

TEST(DirectorySyncsTest, WaitersShareTheNextSync) {
  SlowSyncs files;
  DirectorySyncs syncs(&files);
  std::thread first([&] { EXPECT_TRUE(syncs.Sync("/", "test").ok()); });
  files.AwaitFirst();
  // The one that runs began before these came: it is not theirs.
  std::atomic<int> waiting = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < 8; ++i) {
    others.emplace_back([&] {
      ++waiting;
      EXPECT_TRUE(syncs.Sync("/", "test").ok());
    });
  }
  while (waiting < 8) std::this_thread::yield();
  files.LetGo();
  first.join();
  for (std::thread& other : others) other.join();

  EXPECT_GE(files.syncs(), 2);
  EXPECT_LT(files.syncs(), 9) << "each synced for itself";
}

TEST(DirectorySyncsTest, FailureIsToldToAllOfThatSyncAndNotToLaterOnes) {
  SlowSyncs files;
  files.LetGo();
  files.Fail(true);
  DirectorySyncs syncs(&files);
  EXPECT_FALSE(syncs.Sync("/", "test").ok());
  files.Fail(false);
  EXPECT_TRUE(syncs.Sync("/", "test").ok());
}

}  // namespace
}  // namespace brume::store
