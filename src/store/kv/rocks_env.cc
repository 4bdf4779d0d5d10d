#include "store/kv/rocks_env.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <utility>

namespace brume::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::string_view kTableEnding = ".sst";
constexpr std::string_view kWalEnding = ".log";
constexpr std::string_view kTemporaryEnding = ".dbtmp";

IOStatus ToRocks(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return IOStatus::OK();
    case absl::StatusCode::kNotFound:
      return IOStatus::PathNotFound(message);
    case absl::StatusCode::kResourceExhausted:
      return IOStatus::NoSpace(message);
    default:
      return IOStatus::IOError(message);
  }
}

std::string_view NameOf(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(std::unique_ptr<File> file)
      : file_(std::move(file)) {}

  IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) override {
    const absl::StatusOr<size_t> got = file_->ReadAt(position_, n, scratch);
    if (!got.ok()) return ToRocks(got.status());
    position_ += *got;
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }

  IOStatus Skip(uint64_t n) override {
    position_ += n;
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<File> file_;
  uint64_t position_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(std::unique_ptr<File> file)
      : file_(std::move(file)) {}

  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result,
                char* scratch, IODebugContext*) const override {
    const absl::StatusOr<size_t> got = file_->ReadAt(offset, n, scratch);
    if (!got.ok()) return ToRocks(got.status());
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<File> file_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(std::unique_ptr<File> file, std::string label)
      : file_(std::move(file)), label_(std::move(label)) {}

  using rocksdb::FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&,
                  IODebugContext*) override {
    return ToRocks(file_->Append(data.ToStringView()));
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    return ToRocks(file_->Truncate(size));
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return label_.empty() ? IOStatus::OK() : ToRocks(file_->Sync(label_));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    const absl::StatusOr<uint64_t> size = file_->Size();
    return size.ok() ? *size : 0;
  }

 private:
  std::unique_ptr<File> file_;
  std::string label_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(FileSystem* files, std::string path)
      : files_(files), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return ToRocks(files_->SyncDirectory(path_, "kv.directory"));
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options,
                               IODebugContext* context,
                               const rocksdb::DirFsyncOptions& why) override {
    // A file that comes back after a crash is deleted again; OPTIONS and
    // IDENTITY may be missing.
    if (why.reason == rocksdb::DirFsyncOptions::kFileDeleted) {
      return IOStatus::OK();
    }
    if (why.reason == rocksdb::DirFsyncOptions::kFileRenamed &&
        NameOf(why.renamed_new_name) != "CURRENT") {
      return IOStatus::OK();
    }
    return Fsync(options, context);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  FileSystem* files_;
  std::string path_;
};

// RocksKvStore holds the folder's lock itself, before RocksDB looks at it.
class NoLock final : public rocksdb::FileLock {};

class RocksFileSystem final : public rocksdb::FileSystem {
 public:
  explicit RocksFileSystem(store::FileSystem* files) : files_(files) {}

  const char* Name() const override { return "brume"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext*) override {
    return OpenAs<SequentialFile>(path, OpenMode::kRead, result);
  }
  IOStatus NewRandomAccessFile(
      const std::string& path, const FileOptions&,
      std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
      IODebugContext*) override {
    return OpenAs<RandomAccessFile>(path, OpenMode::kRead, result);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext*) override {
    return OpenAs<WritableFile>(path, OpenMode::kCreate, result,
                                RocksSyncLabel(NameOf(path)));
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext*) override {
    return OpenAs<WritableFile>(path, OpenMode::kAppend, result,
                                RocksSyncLabel(NameOf(path)));
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext*) override {
    *result = std::make_unique<Directory>(files_, path);
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& path, const IOOptions&,
                      IODebugContext*) override {
    const absl::Status status = files_->Stat(path).status();
    return absl::IsNotFound(status) ? IOStatus::NotFound() : ToRocks(status);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&,
                       std::vector<std::string>* result,
                       IODebugContext*) override {
    absl::StatusOr<std::vector<std::string>> names = files_->List(path);
    if (!names.ok()) return ToRocks(names.status());
    *result = *std::move(names);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&,
                      IODebugContext*) override {
    return ToRocks(files_->Unlink(path));
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&,
                     IODebugContext*) override {
    return ToRocks(files_->MakeDirectory(path));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&,
                              IODebugContext*) override {
    return ToRocks(files_->MakeDirectory(path));
  }
  IOStatus DeleteDir(const std::string&, const IOOptions&,
                     IODebugContext*) override {
    return IOStatus::NotSupported("remove directory");
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&,
                       uint64_t* size, IODebugContext*) override {
    const absl::StatusOr<FileInfo> info = files_->Stat(path);
    if (!info.ok()) return ToRocks(info.status());
    *size = info->size;
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions&,
                                   uint64_t* seconds,
                                   IODebugContext*) override {
    const absl::StatusOr<FileInfo> info = files_->Stat(path);
    if (!info.ok()) return ToRocks(info.status());
    *seconds = static_cast<uint64_t>(absl::ToUnixSeconds(info->modified));
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is,
                       IODebugContext*) override {
    const absl::StatusOr<FileInfo> info = files_->Stat(path);
    if (!info.ok()) return ToRocks(info.status());
    *is = info->is_directory;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to,
                      const IOOptions&, IODebugContext*) override {
    // CURRENT names the manifest: it must not be on the disk before that is.
    if (to.ends_with("/CURRENT")) {
      const absl::Status synced =
          files_->SyncDirectory(DirectoryOf(to), "kv.directory");
      if (!synced.ok()) return ToRocks(synced);
    }
    return ToRocks(files_->Rename(from, to));
  }
  IOStatus LockFile(const std::string&, const IOOptions&,
                    rocksdb::FileLock** lock, IODebugContext*) override {
    *lock = new NoLock;  // RocksDB gives it back to UnlockFile
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&,
                      IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string*,
                            IODebugContext*) override {
    return IOStatus::NotSupported("test directory");
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&,
                           std::string* absolute, IODebugContext*) override {
    *absolute = path;
    return IOStatus::OK();
  }

 private:
  template <typename T, typename Result, typename... Args>
  IOStatus OpenAs(const std::string& path, OpenMode mode,
                  std::unique_ptr<Result>* result, Args... args) {
    absl::StatusOr<std::unique_ptr<File>> file = files_->Open(path, mode);
    if (!file.ok()) return ToRocks(file.status());
    *result = std::make_unique<T>(*std::move(file), std::move(args)...);
    return IOStatus::OK();
  }

  store::FileSystem* files_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> MakeRocksEnv(FileSystem* files) {
  return rocksdb::NewCompositeEnv(std::make_shared<RocksFileSystem>(files));
}

std::string RocksSyncLabel(std::string_view file_name) {
  if (file_name.ends_with(kWalEnding)) return "kv.wal";
  if (file_name.ends_with(kTableEnding)) return "kv.table";
  if (file_name.starts_with("MANIFEST-")) return "kv.manifest";
  // What becomes CURRENT; number 0 becomes IDENTITY.
  if (file_name.ends_with(kTemporaryEnding) &&
      !file_name.starts_with("OPTIONS") && file_name != "000000.dbtmp") {
    return "kv.current";
  }
  return "";
}

}  // namespace brume::store
