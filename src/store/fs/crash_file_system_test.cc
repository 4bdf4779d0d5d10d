#include "store/fs/crash_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CrashFileSystemTest : public testing::Test {
 protected:
  std::unique_ptr<File> Create(const std::string& path,
                               std::string_view bytes) {
    auto file = disk_.Open(path, OpenMode::kCreate);
    EXPECT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->Append(bytes).ok());
    return *std::move(file);
  }
  std::string Read(const std::string& path) {
    auto file = disk_.Open(path, OpenMode::kRead);
    if (!file.ok()) return "none";
    std::string bytes(1000, '\0');
    bytes.resize(*(*file)->ReadAt(0, bytes.size(), bytes.data()));
    return bytes;
  }
  void PowerCut() {
    disk_.Crash();
    disk_.Restart();
  }

  CrashFileSystem disk_;
};

TEST_F(CrashFileSystemTest, FileWithoutDirectorySyncIsGone) {
  auto file = Create("/a", "bytes");
  ASSERT_TRUE(file->Sync("data").ok());

  PowerCut();

  EXPECT_THAT(disk_.Files(), IsEmpty());
}

TEST_F(CrashFileSystemTest, BytesWithoutFileSyncAreGone) {
  auto file = Create("/a", "kept");
  ASSERT_TRUE(file->Sync("data").ok());
  ASSERT_TRUE(disk_.SyncDirectory("/", "dir").ok());
  ASSERT_TRUE(file->Append(" lost").ok());

  PowerCut();

  EXPECT_EQ(Read("/a"), "kept");
}

TEST_F(CrashFileSystemTest, NameWithoutBytesIsAnEmptyFile) {
  Create("/a", "lost");
  ASSERT_TRUE(disk_.SyncDirectory("/", "dir").ok());

  PowerCut();

  EXPECT_EQ(Read("/a"), "");
}

TEST_F(CrashFileSystemTest, RenameWithoutDirectorySyncIsUndone) {
  auto file = Create("/a", "bytes");
  ASSERT_TRUE(file->Sync("data").ok());
  ASSERT_TRUE(disk_.SyncDirectory("/", "dir").ok());
  ASSERT_TRUE(disk_.Rename("/a", "/b").ok());

  PowerCut();

  EXPECT_THAT(disk_.Files(), ElementsAre("/a"));
}

TEST_F(CrashFileSystemTest, UnlinkWithoutDirectorySyncIsUndone) {
  auto file = Create("/a", "bytes");
  ASSERT_TRUE(file->Sync("data").ok());
  ASSERT_TRUE(disk_.SyncDirectory("/", "dir").ok());
  ASSERT_TRUE(disk_.Unlink("/a").ok());

  PowerCut();

  EXPECT_EQ(Read("/a"), "bytes");
}

TEST_F(CrashFileSystemTest, TruncationWithoutSyncIsUndone) {
  auto file = Create("/a", "bytes");
  ASSERT_TRUE(file->Sync("data").ok());
  ASSERT_TRUE(disk_.SyncDirectory("/", "dir").ok());
  ASSERT_TRUE(file->Truncate(1).ok());
  ASSERT_TRUE(file->Append("AD").ok());

  PowerCut();

  EXPECT_EQ(Read("/a"), "bytes");
}

TEST_F(CrashFileSystemTest, DirectoryWithoutItsParentsSyncIsGone) {
  ASSERT_TRUE(disk_.MakeDirectory("/d").ok());
  auto file = Create("/d/a", "bytes");
  ASSERT_TRUE(file->Sync("data").ok());
  ASSERT_TRUE(disk_.SyncDirectory("/d", "dir").ok());

  PowerCut();

  EXPECT_FALSE(disk_.Stat("/d").ok());
}

TEST_F(CrashFileSystemTest, SuppressedSyncSavesNothing) {
  disk_.SuppressSync("data");
  auto file = Create("/a", "bytes");
  ASSERT_TRUE(file->Sync("data").ok());
  ASSERT_TRUE(disk_.SyncDirectory("/", "dir").ok());

  PowerCut();

  EXPECT_EQ(Read("/a"), "");
  EXPECT_THAT(disk_.SyncLabels(), ElementsAre("data", "dir"));
}

TEST_F(CrashFileSystemTest, NothingWorksAfterTheNthCall) {
  disk_.CrashAfterCall(2);
  auto file = Create("/a", "bytes");

  EXPECT_TRUE(disk_.crashed());
  EXPECT_EQ(disk_.CallName(2), "append /a");
  EXPECT_EQ(file->Append("more").code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(disk_.Open("/b", OpenMode::kCreate).ok());
  disk_.Restart();

  EXPECT_FALSE(file->Append("more").ok()) << "a dead process's file";
  EXPECT_TRUE(disk_.Open("/b", OpenMode::kCreate).ok());
}

TEST_F(CrashFileSystemTest, FullDiskTakesWhatFits) {
  disk_.SetFreeSpace(7);
  auto file = Create("/a", "12345");

  EXPECT_EQ(file->Append("67890").code(), absl::StatusCode::kResourceExhausted);

  EXPECT_EQ(Read("/a"), "1234567");
}

TEST_F(CrashFileSystemTest, SeedKeepsSyncedBytesAndSomeOfTheRest) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    CrashFileSystem disk;
    auto file = disk.Open("/a", OpenMode::kCreate);
    ASSERT_TRUE((*file)->Append("safe").ok());
    ASSERT_TRUE((*file)->Sync("data").ok());
    ASSERT_TRUE(disk.SyncDirectory("/", "dir").ok());
    ASSERT_TRUE((*file)->Append("1234").ok());
    ASSERT_TRUE(disk.Rename("/a", "/b").ok());
    disk.Crash();
    disk.Restart(seed);

    const auto files = disk.Files();
    ASSERT_EQ(files.size(), 1u);
    char out[8];
    const size_t size =
        *(*disk.Open(files[0], OpenMode::kRead))->ReadAt(0, 8, out);
    const std::string bytes(out, size);
    ASSERT_TRUE(bytes.starts_with("safe")) << "seed " << seed;
    outcomes.insert(files[0] + bytes);
  }
  // Either name, and every length, whole and torn.
  EXPECT_TRUE(outcomes.contains("/asafe"));
  EXPECT_TRUE(outcomes.contains("/bsafe1234"));
  EXPECT_TRUE(outcomes.contains(std::string("/bsafe12\0\0", 10)));
}

}  // namespace
}  // namespace brume::store
