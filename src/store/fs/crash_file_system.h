#pragma once

#include "store/fs/file_system.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace brume::store {

// A disk in memory that can lose its power. For tests: killing a process proves
// nothing about syncs, since the page cache survives it.
//
//   CrashFileSystem disk;             the machine
//   ... run stores on &disk ...
//   disk.Crash();                     every further call fails
//   ... destroy the stores ...
//   disk.Restart();                   what was not synced is gone
//   ... open the stores again ...
//
// Without a seed everything that was not synced is dropped. With one, a random
// part of it stays, as a real disk may have written it: some of a file's bytes,
// their end perhaps torn to zeros, and some of a directory's changes, in no
// order. Thread-safe.
class CrashFileSystem final : public FileSystem {
 public:
  CrashFileSystem();
  ~CrashFileSystem() override;

  // Ends the power. Files and locks that are open stay dead for ever.
  void Crash();
  // Ends it right after the call with this number (see calls()): "crash after
  // the Nth store call". That call still takes effect.
  void CrashAfterCall(uint64_t number);
  void Restart(std::optional<uint64_t> seed = std::nullopt);
  bool crashed() const;

  // Calls so far that change the disk or sync it, failed ones included.
  uint64_t calls() const;
  // The name of such a call: "sync kv.wal /d/kv/000004.log".
  std::string CallName(uint64_t number) const;

  // Syncs with this label succeed and do nothing from now on.
  void SuppressSync(std::string_view label);
  // Every label that was synced under.
  std::set<std::string> SyncLabels() const;
  uint64_t SyncCount(std::string_view label) const;

  // What can still be written before RESOURCE_EXHAUSTED; a write that does not
  // fit leaves what fits.
  void SetFreeSpace(uint64_t bytes);

  // Every file's path, sorted.
  std::vector<std::string> Files() const;

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                             OpenMode mode) override;
  absl::StatusOr<FileInfo> Stat(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Unlink(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path,
                             std::string_view label) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      const std::string& path) override;

 private:
  struct Node;
  class OpenFile;
  class HeldLock;
  using NodePtr = std::shared_ptr<Node>;
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  // What every call does first and, if it changes the disk, last.
  absl::Status Alive(uint64_t epoch) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(std::string name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the sync takes effect.
  bool CountSync(std::string_view label, std::string_view path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::StatusOr<NodePtr> Find(std::string_view path) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<NodePtr> FindDirectory(std::string_view path) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AppendTo(Node& node, std::string_view bytes,
                        const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  NodePtr root_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> locked_ ABSL_GUARDED_BY(mutex_);
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  bool crashed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t crash_after_ ABSL_GUARDED_BY(mutex_) = kUnlimited;
  std::vector<std::string> call_names_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string, std::less<>> suppressed_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint64_t, std::less<>> syncs_ ABSL_GUARDED_BY(mutex_);
  uint64_t free_space_ ABSL_GUARDED_BY(mutex_) = kUnlimited;
};

}  // namespace brume::store
