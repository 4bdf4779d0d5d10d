#include "store/fs/file_system.h"

#include "store/fs/crash_file_system.h"
#include "store/fs/posix_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

namespace brume::store {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

// What both engines must do alike.
class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      files_ = MakePosixFileSystem();
      char name[] = "/tmp/brume_fs_XXXXXX";
      ASSERT_NE(::mkdtemp(name), nullptr);
      root_ = name;
    } else {
      files_ = std::make_unique<CrashFileSystem>();
      root_ = "/d";
      ASSERT_TRUE(files_->MakeDirectory(root_).ok());
    }
  }
  void TearDown() override {
    files_.reset();
    if (GetParam()) std::filesystem::remove_all(root_);
  }

  std::string Path(std::string_view name) {
    return root_ + "/" + std::string(name);
  }
  void Write(std::string_view name, std::string_view bytes) {
    auto file = files_->Open(Path(name), OpenMode::kCreate);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append(bytes).ok());
  }
  std::string Read(std::string_view name) {
    auto file = files_->Open(Path(name), OpenMode::kRead);
    if (!file.ok()) return std::string(file.status().message());
    std::string bytes(100, '\0');
    bytes.resize(*(*file)->ReadAt(0, bytes.size(), bytes.data()));
    return bytes;
  }

  std::unique_ptr<FileSystem> files_;
  std::string root_;
};

TEST_P(FileSystemTest, AppendedBytesAreRead) {
  Write("a", "hello ");
  auto file = files_->Open(Path("a"), OpenMode::kAppend);

  ASSERT_TRUE((*file)->Append("world").ok());

  EXPECT_EQ(Read("a"), "hello world");
  EXPECT_EQ(*(*file)->Size(), 11u);
  char out[4];
  EXPECT_EQ(*(*file)->ReadAt(9, 4, out), 2u);
  EXPECT_EQ(*(*file)->ReadAt(20, 4, out), 0u);
}

TEST_P(FileSystemTest, TruncatedFileGoesOnAtItsNewEnd) {
  Write("a", "hello world");
  auto file = files_->Open(Path("a"), OpenMode::kAppend);

  ASSERT_TRUE((*file)->Truncate(6).ok());
  ASSERT_TRUE((*file)->Append("you").ok());

  EXPECT_EQ(Read("a"), "hello you");
}

TEST_P(FileSystemTest, CreateEmptiesAndCreateNewRefuses) {
  Write("a", "old");
  EXPECT_EQ(files_->Open(Path("a"), OpenMode::kCreateNew).status().code(),
            absl::StatusCode::kAlreadyExists);

  Write("a", "");

  EXPECT_EQ(Read("a"), "");
}

TEST_P(FileSystemTest, RenameReplaces) {
  Write("a", "new");
  Write("b", "old");

  ASSERT_TRUE(files_->Rename(Path("a"), Path("b")).ok());

  EXPECT_EQ(Read("b"), "new");
  EXPECT_THAT(*files_->List(root_), UnorderedElementsAre("b"));
}

TEST_P(FileSystemTest, UnlinkedFileStaysReadableWhileOpen) {
  Write("a", "bytes");
  auto file = files_->Open(Path("a"), OpenMode::kRead);

  ASSERT_TRUE(files_->Unlink(Path("a")).ok());

  char out[5];
  EXPECT_EQ(*(*file)->ReadAt(0, 5, out), 5u);
  EXPECT_EQ(files_->Stat(Path("a")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(FileSystemTest, DescriptorReadsTheFile) {
  Write("a", "bytes");
  auto file = files_->Open(Path("a"), OpenMode::kRead);

  auto fd = (*file)->Descriptor();

  ASSERT_TRUE(fd.ok()) << fd.status();
  char out[5];
  EXPECT_EQ(::pread(fd->get(), out, 5, 0), 5);
  EXPECT_EQ(std::string_view(out, 5), "bytes");
}

TEST_P(FileSystemTest, DirectoriesAreMadeOnce) {
  EXPECT_TRUE(files_->MakeDirectory(Path("d")).ok());
  EXPECT_TRUE(files_->MakeDirectory(Path("d")).ok());
  EXPECT_TRUE(files_->Stat(Path("d"))->is_directory);
  EXPECT_TRUE(files_->SyncDirectory(Path("d"), "test").ok());
  Write("f", "x");
  EXPECT_FALSE(files_->MakeDirectory(Path("f")).ok());
  EXPECT_FALSE(files_->MakeDirectory(Path("no/d")).ok());
}

TEST_P(FileSystemTest, MissingPathsAreNotFoundAndNamed) {
  for (const absl::Status& status :
       {files_->Open(Path("no"), OpenMode::kRead).status(),
        files_->Stat(Path("no")).status(), files_->List(Path("no")).status(),
        files_->Unlink(Path("no")), files_->Rename(Path("no"), Path("b")),
        files_->SyncDirectory(Path("no"), "test")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(Path("no")));
  }
}

TEST_P(FileSystemTest, LockIsHeldOnceAndGivenBack) {
  auto lock = files_->Lock(Path("LOCK"));
  ASSERT_TRUE(lock.ok()) << lock.status();

  EXPECT_EQ(files_->Lock(Path("LOCK")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  lock->reset();

  EXPECT_TRUE(files_->Lock(Path("LOCK")).ok());
}

INSTANTIATE_TEST_SUITE_P(Engines, FileSystemTest, testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Posix" : "Crash";
                         });

}  // namespace
}  // namespace brume::store
