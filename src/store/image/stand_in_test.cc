#include "store/image/stand_in.h"

#include "store/image/archive.h"
#include "store/image/digest.h"
#include "store/image/image_store.h"
#include "store/image/manifest.h"
#include "store/image/tar_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace brume::store::image {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

// With an mmdebstrap of our own on PATH, which writes a small archive.
class StandInTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (fs::temp_directory_path() / "stand-in-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
    path_ = std::getenv("PATH");
    setenv("PATH", (top_.string() + ":" + path_).c_str(), 1);
    TarWriter tar;
    TarEntry entry;
    entry.path = "usr/bin/python3";
    entry.mode = 0755;
    tar.Add(entry, "a program");
    root_ = tar.Finish();
    std::ofstream(top_ / "root.tar", std::ios::binary) << root_;
  }
  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    fs::remove_all(top_);
  }
  void FakeMmdebstrap(const std::string& script) {
    const fs::path program = top_ / "mmdebstrap";
    std::ofstream(program) << "#!/bin/sh\n" << script;
    fs::permissions(program, fs::perms::owner_all);
  }
  absl::StatusOr<std::string> Make(bool fresh = false) {
    StandInOptions options;
    options.cache = top_ / "cache/stand-in";
    options.fresh = fresh;
    options.progress = [this](std::string_view step, uint64_t) {
      steps_.emplace_back(step);
    };
    return MakeStandIn(options);
  }
  std::string Read(const char* name) {
    std::ifstream file(top_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t CacheEntries() {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(top_ / "cache/stand-in")) {
      if (entry.is_directory()) ++count;
    }
    return count;
  }

  fs::path top_;
  std::string path_;
  std::string root_;
  std::vector<std::string> steps_;
};

TEST_F(StandInTest, TheImageIsKeptAndSaysWhatItIs) {
  FakeMmdebstrap("echo call >> " + (top_ / "calls").string() +
                 "; printf '%s ' \"$@\" > " + (top_ / "words").string() +
                 "; echo 'I: extracting archives...' >&2; cat " +
                 (top_ / "root.tar").string());

  const auto folder = Make();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(*Make(), *folder);

  EXPECT_EQ(Read("calls"), "call\n") << "it was made twice";
  EXPECT_THAT(Read("words"), HasSubstr("python3-sklearn"));
  EXPECT_THAT(Read("words"), HasSubstr("EXTERNALLY-MANAGED"));
  EXPECT_THAT(Read("words"), HasSubstr("Install-Recommends \"false\""));
  EXPECT_THAT(steps_, Contains("extracting archives..."));
  const auto archive = OpenArchive(
      base::UniqueFd(open(folder->c_str(), O_RDONLY | O_CLOEXEC)), top_);
  ASSERT_TRUE(archive.ok()) << archive.status();
  const auto config =
      ParseImageConfig(*ReadAll(**(*archive)->Open("config.json"), 100'000));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->labels.contains(std::string(kStandInLabel)));
  ASSERT_EQ(config->diff_ids.size(), 1u);
  EXPECT_EQ(config->diff_ids[0], DigestOf(root_));
  auto layer = Decompress(*(*archive)->Open("layer.tar.zst"));
  ASSERT_TRUE(layer.ok());
  EXPECT_EQ(*ReadAll(**layer, 1 << 20), root_);
}

TEST_F(StandInTest, AFailureIsToldInItsOwnWordsAndLeavesNothing) {
  FakeMmdebstrap(
      "head -c 100 " + (top_ / "root.tar").string() +
      "; echo 'I: running apt-get update...' >&2; "
      "echo 'E: apt-get update failed' >&2; echo 'cleaning up' >&2; exit 25");

  const auto folder = Make();

  EXPECT_TRUE(absl::IsFailedPrecondition(folder.status())) << folder.status();
  EXPECT_THAT(folder.status().ToString(), HasSubstr("apt-get update failed"));
  EXPECT_EQ(CacheEntries(), 0u);
}

TEST_F(StandInTest, FreshReplacesWhatIsKept) {
  FakeMmdebstrap("cat " + (top_ / "root.tar").string());
  const auto folder = Make();
  ASSERT_TRUE(folder.ok()) << folder.status();
  std::ofstream(fs::path(*folder) / "mark") << "old";

  EXPECT_EQ(*Make(/*fresh=*/true), *folder);

  EXPECT_FALSE(fs::exists(fs::path(*folder) / "mark"));
  EXPECT_EQ(CacheEntries(), 1u);
}

}  // namespace
}  // namespace brume::store::image
