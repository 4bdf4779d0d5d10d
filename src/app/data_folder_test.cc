#include "app/data_folder.h"

#include "store/fs/posix_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace brume::app {
namespace {

using testing::HasSubstr;

class DataFolderTest : public testing::Test {
 protected:
  DataFolderTest() {
    std::string name = testing::TempDir() + "brume-data-XXXXXX";
    top_ = mkdtemp(name.data());
  }
  ~DataFolderTest() override { std::filesystem::remove_all(top_); }

  std::unique_ptr<store::FileSystem> files_ = store::MakePosixFileSystem();
  std::string top_;
};

TEST_F(DataFolderTest, IsMadeWithItsParentsForItsOwnerAlone) {
  const auto folder = DataFolder::Open(top_ + "/a/b", files_.get());
  ASSERT_TRUE(folder.ok()) << folder.status();
  struct stat info = {};
  ASSERT_EQ(::stat((top_ + "/a/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_TRUE((*folder)->WritePort(4321).ok());
  EXPECT_EQ(DataFolder::ReadPort(top_ + "/a/b"), 4321);
}

TEST_F(DataFolderTest, ASecondServerIsRefusedUntilTheFirstIsGone) {
  auto first = DataFolder::Open(top_, files_.get());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE((*first)->WritePort(4321).ok());
  EXPECT_EQ(DataFolder::Open(top_, files_.get()).status().message(),
            "use data folder '" + top_ +
                "': another server uses it (port 4321); stop it with 'brume "
                "down' or name another folder with --data");
  first->reset();
  EXPECT_TRUE(DataFolder::Open(top_, files_.get()).ok());
}

TEST_F(DataFolderTest, ANewerProgramsFolderIsRefused) {
  std::ofstream(top_ + "/VERSION") << "2\n";
  const auto folder = DataFolder::Open(top_, files_.get());
  EXPECT_TRUE(absl::IsFailedPrecondition(folder.status()));
  EXPECT_THAT(std::string(folder.status().message()),
              HasSubstr("version 2 was written by a newer program"));
}

TEST_F(DataFolderTest, AFileInItsPlaceIsRefused) {
  std::ofstream(top_ + "/file") << "x";
  EXPECT_THAT(
      std::string(
          DataFolder::Open(top_ + "/file", files_.get()).status().message()),
      HasSubstr("name another with --data"));
  EXPECT_FALSE(DataFolder::Open(top_ + "/file/below", files_.get()).ok());
}

}  // namespace
}  // namespace brume::app
