#include "store/image/layer_unpacker.h"

#include "store/image/digest.h"
#include "store/image/tar_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace brume::store::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Type = TarEntry::Type;

class LayerUnpackerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "layer-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
    root_ = top_ / "root";
    fs::create_directory(root_);
  }
  void TearDown() override { fs::remove_all(top_); }

  TarEntry& Entry(Type type, std::string path, std::string link = "") {
    entry_ = TarEntry();
    entry_.type = type;
    entry_.path = std::move(path);
    entry_.link = std::move(link);
    entry_.mode = type == Type::kDirectory ? 0755 : 0644;
    entry_.uid = getuid();
    entry_.gid = getgid();
    return entry_;
  }
  void File(std::string path, std::string_view data) {
    tar_.Add(Entry(Type::kFile, std::move(path)), data);
  }
  absl::StatusOr<UnpackResult> Unpack(std::string archive) {
    auto root = RootedDir::Open(root_.string());
    if (!root.ok()) return root.status();
    return UnpackLayer(StringSource(std::move(archive)), *root, {});
  }
  std::string Read(const std::string& path) {
    std::ifstream file(root_ / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  struct stat Stat(const std::string& path) {
    struct stat info = {};
    lstat((root_ / path).c_str(), &info);
    return info;
  }

  fs::path top_;
  fs::path root_;
  TarWriter tar_;
  TarEntry entry_;
};

std::string Gzipped(const std::string& bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(
      bytes.data()));  // NOLINT(cppcoreguidelines-pro-type-const-cast):
                       // zlib does not write
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(LayerUnpackerTest, FilesLinksModesAndTimesAreKept) {
  tar_.Add(Entry(Type::kDirectory, "bin/"));
  TarEntry& program = Entry(Type::kFile, "bin/run");
  program.mode = 04755;
  program.mtime = 1000000000;
  tar_.Add(program, "#!");
  tar_.Add(Entry(Type::kHardLink, "bin/again", "bin/run"));
  tar_.Add(Entry(Type::kSymlink, "sbin", "bin"));
  File("sbin/more", "through the link");
  const std::string archive = tar_.Finish();

  auto result = Unpack(Gzipped(archive));

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->diff_id, DigestOf(archive));
  EXPECT_EQ(Stat("bin/run").st_mode & 07777, 04755u);
  EXPECT_EQ(Stat("bin/run").st_mtime, 1000000000);
  EXPECT_EQ(Stat("bin/run").st_ino, Stat("bin/again").st_ino);
  EXPECT_EQ(Read("bin/more"), "through the link");
}

TEST_F(LayerUnpackerTest, FoldersWithoutWriteRightsAreFilled) {
  TarEntry& folder = Entry(Type::kDirectory, "locked");
  folder.mode = 0555;
  tar_.Add(folder);
  File("locked/a", "x");

  ASSERT_TRUE(Unpack(tar_.Finish()).ok());

  EXPECT_EQ(Read("locked/a"), "x");
  EXPECT_EQ(Stat("locked").st_mode & 0777, 0555u);
}

TEST_F(LayerUnpackerTest, WhiteoutsBecomeWhatOverlayfsReads) {
  File("a/.wh.gone", "");
  File("b/.wh..wh..opq", "");
  File("b/kept", "x");

  ASSERT_TRUE(Unpack(tar_.Finish()).ok());

  const struct stat gone = Stat("a/gone");
  EXPECT_TRUE(S_ISCHR(gone.st_mode));
  EXPECT_EQ(gone.st_rdev, makedev(0, 0));
  char value = 0;
  EXPECT_EQ(getxattr((root_ / "b").c_str(), "user.overlay.opaque", &value, 1),
            1);
  EXPECT_EQ(value, 'y');
  EXPECT_FALSE(fs::exists(root_ / "b/.wh..wh..opq"));
}

TEST_F(LayerUnpackerTest, NothingLeavesTheRoot) {
  std::ofstream(top_ / "outside") << "mine";
  File("../outside", "theirs");
  tar_.Add(Entry(Type::kSymlink, "up", "../.."));
  File("up/../outside2", "theirs");
  tar_.Add(Entry(Type::kHardLink, "stolen", "../outside"));

  const auto result = Unpack(tar_.Finish());

  std::ifstream file(top_ / "outside");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "mine");
  EXPECT_FALSE(fs::exists(top_ / "outside2"));
  // "../outside" was made inside, so the hard link finds that one.
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Read("stolen"), "theirs");
}

TEST_F(LayerUnpackerTest, AbsoluteLinksMeanTheRootOfTheImage) {
  tar_.Add(Entry(Type::kDirectory, "data"));
  tar_.Add(Entry(Type::kSymlink, "abs", "/data"));
  File("/abs/inside", "x");
  tar_.Add(Entry(Type::kSymlink, "out", top_.string()));
  File("/out/outside", "theirs");

  EXPECT_FALSE(Unpack(tar_.Finish()).ok());

  EXPECT_EQ(Read("data/inside"), "x");
  EXPECT_FALSE(fs::exists(top_ / "outside"));
}

TEST_F(LayerUnpackerTest, AHardLinkToNothingNamesBoth) {
  tar_.Add(Entry(Type::kHardLink, "a", "missing/b"));

  EXPECT_THAT(std::string(Unpack(tar_.Finish()).status().message()),
              HasSubstr("hard link to 'missing/b'"));
}

TEST_F(LayerUnpackerTest, LaterEntriesReplaceEarlierOnes) {
  File("x/inside", "1");
  File("x", "a file now");
  tar_.Add(Entry(Type::kSymlink, "y", "x"));
  File("y", "not through the link");

  ASSERT_TRUE(Unpack(tar_.Finish()).ok());

  EXPECT_EQ(Read("x"), "a file now");
  EXPECT_EQ(Read("y"), "not through the link");
}

TEST_F(LayerUnpackerTest, DevicesAreSkipped) {
  tar_.Add(Entry(Type::kCharDevice, "dev/null"));

  ASSERT_TRUE(Unpack(tar_.Finish()).ok());

  EXPECT_FALSE(fs::exists(root_ / "dev/null"));
}

TEST_F(LayerUnpackerTest, ACutGzipStreamIsRefused) {
  File("a", std::string(100000, 'x'));
  std::string packed = Gzipped(tar_.Finish());
  packed.resize(packed.size() - 20);

  EXPECT_THAT(std::string(Unpack(packed).status().message()),
              HasSubstr("cut short"));
}

}  // namespace
}  // namespace brume::store::image
