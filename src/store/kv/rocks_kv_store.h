#pragma once

#include "store/fs/file_system.h"
#include "store/kv/buffered_transaction.h"
#include "store/kv/conflict_index.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

namespace rocksdb {
class DB;
class Env;
class Status;
}  // namespace rocksdb

namespace brume::store {

// The durable engine: RocksDB in one folder.
//
// Commits form a queue; whoever finds no leader becomes it, checks the queued
// transactions against each other and those before (ConflictIndex), and writes
// all of them with one sync. What is not synced is seen by nobody.
//
// On a full disk commits fail with RESOURCE_EXHAUSTED and change nothing; reads
// go on, and the first commit after there is room works again. Should the disk
// fill up once more in the moment between, the store must be opened anew.
// Snapshots must not outlive the store. Thread-safe.
class RocksKvStore final : public KvStore {
 public:
  // Of the data in the folder; written to its file VERSION. Raised when an
  // older program could not read what this one writes.
  static constexpr int kSchemaVersion = 1;

  struct Options {
    // Created if missing; its parent must exist.
    std::string path;
    FileSystem* files = nullptr;  // must outlive the store
    // Memory: up to twice the first for recent writes, and the second for what
    // is read.
    size_t write_buffer_bytes = 8 << 20;
    size_t cache_bytes = 8 << 20;
  };

  // FAILED_PRECONDITION when another process has the folder open or a newer
  // program wrote it, PERMISSION_DENIED when it cannot be written; one line
  // each, for the user to read.
  static absl::StatusOr<std::unique_ptr<RocksKvStore>> Create(Options options);
  ~RocksKvStore() override;

  absl::Status Transact(
      absl::FunctionRef<absl::Status(KvTransaction&)> body) override;
  std::unique_ptr<KvReader> Snapshot() override;
  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override;

  // Writes what is in memory to tables, as the store does by itself when enough
  // has come together. For tests and benchmarks.
  absl::Status Flush();

 private:
  class View;
  // A transaction in the queue, on its owner's stack.
  struct Commit {
    const BufferedTransaction* txn = nullptr;
    uint64_t start = 0;
    bool done = false;
    bool conflict = false;
    absl::Status status;
  };

  RocksKvStore(Options options, std::unique_ptr<FileLock> lock,
               std::unique_ptr<rocksdb::Env> env,
               std::unique_ptr<rocksdb::DB> db);

  void Enqueue(Commit& commit);
  void CommitGroup(const std::deque<Commit*>& group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Write(const std::deque<Commit*>& group);
  // Whether the disk has room for what a resumed store writes first.
  absl::Status ProbeSpace();

  const Options options_;
  const std::unique_ptr<FileLock> lock_;
  const std::unique_ptr<rocksdb::Env> env_;
  const std::unique_ptr<rocksdb::DB> db_;

  absl::Mutex mutex_;
  ConflictIndex index_ ABSL_GUARDED_BY(mutex_);
  std::deque<Commit*> queue_ ABSL_GUARDED_BY(mutex_);
  bool leading_ ABSL_GUARDED_BY(mutex_) = false;
  // A write failed and RocksDB refuses others until it is resumed. Only the
  // leader looks at it.
  bool failed_ = false;
};

}  // namespace brume::store
