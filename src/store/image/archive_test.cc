#include "store/image/archive.h"

#include "store/image/tar_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace brume::store::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Type = TarEntry::Type;

class ArchiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (fs::temp_directory_path() / "archive-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(top_); }

  static std::string Sample() {
    TarWriter tar;
    TarEntry entry;
    entry.mode = 0644;
    entry.path = "./folder/file";
    tar.Add(entry, "content");
    entry.type = Type::kSymlink;
    entry.path = "other/link";
    entry.link = "../folder/file";
    tar.Add(entry);
    entry.type = Type::kHardLink;
    entry.path = "hard";
    entry.link = "folder/file";
    tar.Add(entry);
    return tar.Finish();
  }
  absl::StatusOr<std::unique_ptr<Archive>> Open(const std::string& bytes) {
    const fs::path file = top_ / "file";
    std::ofstream(file, std::ios::binary) << bytes;
    return OpenArchive(base::UniqueFd(open(file.c_str(), O_RDONLY | O_CLOEXEC)),
                       top_);
  }
  static std::string Read(const Archive& archive, std::string_view name) {
    auto source = archive.Open(name);
    if (!source.ok()) return source.status().ToString();
    return ReadAll(**source, 1000).value_or("error");
  }

  fs::path top_;
};

TEST_F(ArchiveTest, FilesAndLinksOfATarAreRead) {
  const auto archive = Open(Sample());

  ASSERT_TRUE(archive.ok()) << archive.status();
  for (const char* name :
       {"folder/file", "other/link", "hard", "./other/../folder/file"}) {
    EXPECT_TRUE((*archive)->Has(name)) << name;
    EXPECT_EQ(Read(**archive, name), "content") << name;
  }
  EXPECT_FALSE((*archive)->Has("nothing"));
  EXPECT_THAT(Read(**archive, "nothing"), HasSubstr("'nothing' is missing"));
}

TEST_F(ArchiveTest, ZstdTarsAreRead) {
  const std::string plain = Sample();
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(),
                              plain.size(), 3));

  const auto archive = Open(packed);

  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_EQ(Read(**archive, "folder/file"), "content");
  EXPECT_FALSE(Open(packed.substr(0, packed.size() / 2)).ok());
}

TEST_F(ArchiveTest, FoldersAreReadWithoutLeavingThem) {
  fs::create_directory(top_ / "in");
  std::ofstream(top_ / "in/file") << "inside";
  std::ofstream(top_ / "outside") << "secret";
  fs::create_symlink("../outside", top_ / "in/escape");
  ASSERT_EQ(mkfifo((top_ / "in/fifo").c_str(), 0600), 0);

  const auto archive = OpenArchive(
      base::UniqueFd(open((top_ / "in").c_str(), O_RDONLY | O_CLOEXEC)), top_);

  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_EQ(Read(**archive, "file"), "inside");
  EXPECT_THAT(Read(**archive, "escape"), HasSubstr("is missing"));
  EXPECT_THAT(Read(**archive, "fifo"), HasSubstr("not a file"));
}

TEST_F(ArchiveTest, LinksInACircleEnd) {
  TarWriter tar;
  TarEntry entry;
  entry.type = Type::kSymlink;
  entry.path = "a";
  entry.link = "b";
  tar.Add(entry);
  entry.path = "b";
  entry.link = "a";
  tar.Add(entry);

  const auto archive = Open(tar.Finish());

  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_FALSE((*archive)->Has("a"));
}

}  // namespace
}  // namespace brume::store::image
