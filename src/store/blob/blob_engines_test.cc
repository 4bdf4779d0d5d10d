#include "store/blob/blob_conformance.h"
#include "store/blob/file_blob_store.h"
#include "store/fs/crash_file_system.h"
#include "store/fs/posix_file_system.h"
#include "store/kv/memory_kv_store.h"
#include "store/kv/rocks_kv_store.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace brume::store {
namespace {

std::unique_ptr<FileBlobStore> OpenBlobs(const std::string& path,
                                         FileSystem* files, KvStore* kv) {
  auto store = FileBlobStore::Create({path, files, kv});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

// Real files; the key-value store stays up.
class OnPosix final : public BlobEngine {
 public:
  OnPosix() : files_(MakePosixFileSystem()) {
    char name[] = "/tmp/brume_blob_XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    Restart();
  }
  ~OnPosix() override {
    blobs_.reset();
    std::filesystem::remove_all(root_);
  }
  KvStore& kv() override { return kv_; }
  BlobStore& blobs() override { return *blobs_; }
  void Restart() override {
    blobs_.reset();
    blobs_ = OpenBlobs(root_ + "/blobs", files_.get(), &kv_);
  }
  size_t FilesLeft() override {
    EXPECT_TRUE(blobs_->Collect().ok());
    size_t count = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root_)) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

 private:
  std::unique_ptr<FileSystem> files_;
  std::string root_;
  MemoryKvStore kv_;
  std::unique_ptr<FileBlobStore> blobs_;
};

// Both stores on a disk that forgets what was not synced; each restart is a
// power cut.
class OnCrashDisk final : public BlobEngine {
 public:
  OnCrashDisk() { Start(); }
  KvStore& kv() override { return *kv_; }
  BlobStore& blobs() override { return *blobs_; }
  void Restart() override {
    disk_.Crash();
    blobs_.reset();
    kv_.reset();
    disk_.Restart();
    Start();
  }
  size_t FilesLeft() override {
    EXPECT_TRUE(blobs_->Collect().ok());
    size_t count = 0;
    for (const std::string& path : disk_.Files()) {
      if (path.starts_with("/blobs/")) ++count;
    }
    return count;
  }

 private:
  void Start() {
    auto kv = RocksKvStore::Create({"/kv", &disk_});
    ASSERT_TRUE(kv.ok()) << kv.status();
    kv_ = *std::move(kv);
    blobs_ = OpenBlobs("/blobs", &disk_, kv_.get());
  }

  CrashFileSystem disk_;
  std::unique_ptr<RocksKvStore> kv_;
  std::unique_ptr<FileBlobStore> blobs_;
};

INSTANTIATE_TEST_SUITE_P(Posix, BlobConformanceTest, testing::Values([] {
                           return std::make_unique<OnPosix>();
                         }));
INSTANTIATE_TEST_SUITE_P(Crash, BlobConformanceTest, testing::Values([] {
                           return std::make_unique<OnCrashDisk>();
                         }));

}  // namespace
}  // namespace brume::store
