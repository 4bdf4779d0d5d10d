#include "store/kv/rocks_kv_store.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/rocks_env.h"
#include "store/kv/schema_version.h"

#include <absl/time/clock.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <random>
#include <utility>

namespace brume::store {
namespace {

constexpr int kMaxTries = 100;
constexpr absl::Duration kFirstBackoff = absl::Microseconds(50);
constexpr absl::Duration kMaxBackoff = absl::Milliseconds(20);
// A group's batch stays well below a write buffer.
constexpr size_t kMaxGroup = 256;
constexpr size_t kMaxWalBytes = 32 << 20;
constexpr int kMaxOpenFiles = 256;
constexpr int kBloomBitsPerKey = 10;

absl::Status FromRocks(const rocksdb::Status& status, std::string_view action) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = base::StrCat(action, ": ", status.ToString());
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  if (status.IsCorruption()) return absl::DataLossError(message);
  return absl::UnavailableError(message);
}

// RocksDB's own log: errors only, on ours. It writes no LOG file.
class ErrorLog final : public rocksdb::Logger {
 public:
  ErrorLog() : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char text[512];
    std::vsnprintf(text, sizeof(text), format, arguments);
    base::Log(base::LogLevel::kWarn, "kv", "rocksdb", {{"said", text}});
  }
};

rocksdb::Options RocksOptions(const RocksKvStore::Options& options,
                              rocksdb::Env* env) {
  rocksdb::Options rocks;
  rocks.env = env;
  rocks.create_if_missing = true;
  rocks.info_log = std::make_shared<ErrorLog>();
  rocks.stats_dump_period_sec = 0;
  rocks.stats_persist_period_sec = 0;
  rocks.write_buffer_size = options.write_buffer_bytes;
  rocks.max_total_wal_size = kMaxWalBytes;
  rocks.max_open_files = kMaxOpenFiles;
  rocks.max_manifest_file_size = 4 << 20;
  rocks.skip_stats_update_on_db_open = true;
  const std::vector<rocksdb::CompressionType> can =
      rocksdb::GetSupportedCompressions();
  rocks.compression =
      std::find(can.begin(), can.end(), rocksdb::kLZ4Compression) != can.end()
          ? rocksdb::kLZ4Compression
          : rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return rocks;
}

absl::Status OpenError(const std::string& path, const absl::Status& cause) {
  const std::string action = base::StrCat("open data folder '", path, "': ");
  switch (cause.code()) {
    case absl::StatusCode::kFailedPrecondition:
      return absl::FailedPreconditionError(base::StrCat(
          action,
          "another process uses it; stop that one or choose another folder"));
    case absl::StatusCode::kPermissionDenied:
      return absl::PermissionDeniedError(base::StrCat(
          action,
          "permission denied; choose a folder that this user can write"));
    default:
      return absl::Status(cause.code(), base::StrCat(action, cause.message()));
  }
}

void BackOff(int attempt) {
  // Grows, and differs between threads: the losers must not meet again.
  thread_local std::minstd_rand random(std::random_device{}());
  const absl::Duration limit =
      std::min(kMaxBackoff, kFirstBackoff * (1 << std::min(attempt, 10)));
  absl::SleepFor(limit * (static_cast<double>(random() % 1000) / 1000));
}

}  // namespace

// One RocksDB snapshot.
class RocksKvStore::View final : public KvReader {
 public:
  explicit View(rocksdb::DB* db) : db_(db), snapshot_(db->GetSnapshot()) {
    read_.snapshot = snapshot_;
  }
  ~View() override { db_->ReleaseSnapshot(snapshot_); }

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) override {
    std::string value;
    const rocksdb::Status status = db_->Get(read_, key, &value);
    if (status.IsNotFound()) return std::nullopt;
    RETURN_IF_ERROR(FromRocks(status, "read key"));
    return value;
  }

  absl::Status Scan(const KeyRange& range,
                    absl::FunctionRef<bool(std::string_view, std::string_view)>
                        visit) override {
    if (!range.end.empty() && range.end <= range.begin) return absl::OkStatus();
    rocksdb::ReadOptions read = read_;
    const rocksdb::Slice end(range.end);
    if (!range.end.empty()) read.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(read));
    for (rows->Seek(range.begin); rows->Valid(); rows->Next()) {
      if (!visit(rows->key().ToStringView(), rows->value().ToStringView())) {
        break;
      }
    }
    return FromRocks(rows->status(), "scan keys");
  }

 private:
  rocksdb::DB* db_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions read_;
};

absl::StatusOr<std::unique_ptr<RocksKvStore>> RocksKvStore::Create(
    Options options) {
  FileSystem* files = options.files;
  const std::string& path = options.path;
  if (const absl::Status made = files->MakeDirectory(path); !made.ok()) {
    return OpenError(path, made);
  }
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      files->Lock(base::StrCat(path, "/LOCK"));
  if (!lock.ok()) return OpenError(path, lock.status());
  RETURN_IF_ERROR(CheckSchemaVersion(*files, path, kSchemaVersion));
  if (const absl::Status synced =
          files->SyncDirectory(DirectoryOf(path), "kv.folder");
      !synced.ok()) {
    return OpenError(path, synced);
  }
  std::unique_ptr<rocksdb::Env> env = MakeRocksEnv(files);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(RocksOptions(options, env.get()), path, &db);
  RETURN_IF_ERROR(
      FromRocks(opened, base::StrCat("open data folder '", path, "'")));
  return std::unique_ptr<RocksKvStore>(
      new RocksKvStore(std::move(options), *std::move(lock), std::move(env),
                       std::unique_ptr<rocksdb::DB>(db)));
}

RocksKvStore::RocksKvStore(Options options, std::unique_ptr<FileLock> lock,
                           std::unique_ptr<rocksdb::Env> env,
                           std::unique_ptr<rocksdb::DB> db)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      env_(std::move(env)),
      db_(std::move(db)) {}

RocksKvStore::~RocksKvStore() = default;

absl::Status RocksKvStore::Transact(
    absl::FunctionRef<absl::Status(KvTransaction&)> body) {
  for (int attempt = 0; attempt < kMaxTries; ++attempt) {
    if (attempt > 0) BackOff(attempt);
    Commit commit;
    {
      absl::MutexLock lock(&mutex_);
      commit.start = index_.Begin();
    }
    // The view is taken after the start: what commits in between is read and
    // counts as a conflict, never the other way round.
    BufferedTransaction txn(std::make_unique<View>(db_.get()));
    commit.txn = &txn;
    commit.status = body(txn);
    if (commit.status.ok()) Enqueue(commit);
    {
      absl::MutexLock lock(&mutex_);
      index_.End(commit.start);
    }
    if (!commit.conflict) return commit.status;
  }
  return absl::AbortedError("commit transaction: too many conflicts; retry");
}

std::unique_ptr<KvReader> RocksKvStore::Snapshot() {
  return std::make_unique<View>(db_.get());
}

absl::StatusOr<std::optional<std::string>> RocksKvStore::Get(
    std::string_view key) {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), key, &value);
  if (status.IsNotFound()) return std::nullopt;
  RETURN_IF_ERROR(FromRocks(status, "read key"));
  return value;
}

absl::Status RocksKvStore::Flush() {
  return FromRocks(db_->Flush(rocksdb::FlushOptions()), "flush");
}

void RocksKvStore::Enqueue(Commit& commit) {
  absl::MutexLock lock(&mutex_);
  queue_.push_back(&commit);
  mutex_.Await(absl::Condition(
      +[](std::pair<RocksKvStore*, Commit*>* self)
           ABSL_NO_THREAD_SAFETY_ANALYSIS {
             return self->second->done || !self->first->leading_;
           },
      std::make_unique<std::pair<RocksKvStore*, Commit*>>(this, &commit)
          .get()));
  if (commit.done) return;
  leading_ = true;
  const size_t count = std::min(queue_.size(), kMaxGroup);
  const std::deque<Commit*> group(queue_.begin(), queue_.begin() + count);
  queue_.erase(queue_.begin(), queue_.begin() + count);
  CommitGroup(group);
  leading_ = false;
}

void RocksKvStore::CommitGroup(const std::deque<Commit*>& group) {
  std::deque<Commit*> winners;
  for (Commit* commit : group) {
    if (index_.Conflicts(commit->start, commit->txn->footprint())) {
      commit->conflict = true;
    } else if (!commit->txn->writes().empty()) {
      index_.Add(commit->txn->footprint());
      winners.push_back(commit);
    }
  }
  if (!winners.empty()) {
    mutex_.Unlock();
    const absl::Status status = Write(winners);
    mutex_.Lock();
    for (Commit* commit : winners) commit->status = status;
    index_.Publish();
  }
  for (Commit* commit : group) commit->done = true;
}

absl::Status RocksKvStore::ProbeSpace() {
  const std::string path = base::StrCat(options_.path, "/PROBE");
  const auto fill = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                     options_.files->Open(path, OpenMode::kCreate));
    const std::string block(1 << 20, '\0');
    // Resume writes what is in memory to a table.
    for (size_t done = 0; done < options_.write_buffer_bytes;
         done += block.size()) {
      RETURN_IF_ERROR(file->Append(block));
    }
    // A file system may find out that it is full only now.
    return file->Sync("kv.probe");
  };
  const absl::Status filled = fill();
  if (const absl::Status gone = options_.files->Unlink(path);
      !gone.ok() && !absl::IsNotFound(gone)) {
    return gone;
  }
  return filled;
}

absl::Status RocksKvStore::Write(const std::deque<Commit*>& group) {
  if (failed_) {
    // A Resume that meets a full disk leaves RocksDB failed for good.
    RETURN_IF_ERROR(ProbeSpace());
    RETURN_IF_ERROR(FromRocks(db_->Resume(), "commit transaction"));
    failed_ = false;
  }
  rocksdb::WriteBatch batch;
  for (const Commit* commit : group) {
    for (const auto& [key, value] : commit->txn->writes()) {
      const rocksdb::Status added =
          value ? batch.Put(key, *value) : batch.Delete(key);
      RETURN_IF_ERROR(FromRocks(added, "commit transaction"));
    }
  }
  rocksdb::WriteOptions write;
  write.sync = true;
  const rocksdb::Status written = db_->Write(write, &batch);
  failed_ = !written.ok();
  return FromRocks(written, "commit transaction");
}

}  // namespace brume::store
