#include "store/image/layer_store.h"

#include "store/blob/file_blob_store.h"
#include "store/fs/posix_file_system.h"
#include "store/image/digest.h"
#include "store/image/tar_writer.h"
#include "store/image/unpack_main.h"
#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LayerStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "layers of an ordinary user: see exec/local's suite";
    }
    std::string pattern =
        (fs::temp_directory_path() / "layers-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
    blobs_ = *FileBlobStore::Create(
        {.path = top_ / "blobs", .files = files_.get(), .kv = &kv_});
    images_ = std::make_unique<ImageStore>(kv_, *blobs_);
    Open();
  }
  void TearDown() override {
    store_.reset();
    if (!top_.empty()) fs::remove_all(top_);
  }
  void Open() {
    auto store = LayerStore::Create(
        {.folder = top_ / "layers", .unpacker = {"/proc/self/exe", "__unpack"}},
        *images_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  // An image of one layer with the file "a".
  ResolvedImage Image(const std::string& text) {
    TarWriter tar;
    TarEntry entry;
    entry.path = "a";
    entry.mode = 0644;
    tar.Add(entry, text);
    const std::string layer = tar.Finish();
    ResolvedImage image;
    image.layers = {{std::string(kOciLayer),
                     images_->AddBlob(*StringSource(layer))->digest,
                     layer.size(), "", ""}};
    image.config.diff_ids = {DigestOf(layer)};
    return image;
  }
  std::string ReadFile(const std::string& name) {
    std::ifstream file(top_ / "layers" / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t Entries() {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(top_ / "layers"), {}));
  }

  fs::path top_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  MemoryKvStore kv_;
  std::unique_ptr<FileBlobStore> blobs_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<LayerStore> store_;
};

TEST_F(LayerStoreTest, ALayerIsUnpackedOnceUnderAShortName) {
  const ResolvedImage image = Image("text");
  const auto names = store_->Ensure(image);
  ASSERT_TRUE(names.ok()) << names.status();
  ASSERT_EQ(names->size(), 1u);
  EXPECT_EQ(names->at(0).size(), 16u);
  EXPECT_EQ(ReadFile(names->at(0) + "/a"), "text");
  std::ofstream(top_ / "layers" / names->at(0) / "a") << "touched";

  Open();
  ASSERT_TRUE(store_->Ensure(image).ok());

  EXPECT_EQ(ReadFile(names->at(0) + "/a"), "touched");
}

TEST_F(LayerStoreTest, ATreeWithoutItsMarkerIsMadeAgain) {
  const ResolvedImage image = Image("text");
  const std::string name = store_->Ensure(image)->at(0);
  std::ofstream(top_ / "layers" / name / "a") << "half";
  for (const bool is_cut : {false, true}) {
    fs::remove(top_ / "layers" / (name + ".ok"));
    if (is_cut) std::ofstream(top_ / "layers" / (name + ".ok")) << "sha256:";

    const auto again = store_->Ensure(image);

    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(ReadFile(name + "/a"), "text");
  }
}

TEST_F(LayerStoreTest, LeftoversOfACrashGo) {
  fs::create_directories(top_ / "layers/new-0123/deep/er");
  std::ofstream(top_ / "layers/new-0123/deep/file") << "x";

  Open();

  EXPECT_EQ(Entries(), 0u);
}

TEST_F(LayerStoreTest, TreesThatNobodyNeedsGo) {
  const std::string kept = store_->Ensure(Image("kept"))->at(0);
  const std::string gone = store_->Ensure(Image("gone"))->at(0);

  ASSERT_TRUE(store_->KeepOnly({kept}).ok());

  EXPECT_EQ(Entries(), 2u);
  EXPECT_EQ(ReadFile(kept + "/a"), "kept");
  EXPECT_EQ(store_->Ensure(Image("gone"))->at(0), gone);
  EXPECT_EQ(ReadFile(gone + "/a"), "gone");
}

TEST_F(LayerStoreTest, AWrongDiffIdIsRefusedAndLeavesNothing) {
  ResolvedImage image = Image("text");
  image.config.diff_ids = {DigestOf("another")};

  const auto names = store_->Ensure(image);

  EXPECT_TRUE(absl::IsInvalidArgument(names.status())) << names.status();
  EXPECT_THAT(names.status().ToString(), HasSubstr(image.config.diff_ids[0]));
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(LayerStoreTest, ABrokenArchiveNamesTheLayerAndTheByte) {
  ResolvedImage image;
  image.layers = {{std::string(kOciLayer),
                   images_->AddBlob(*StringSource("no archive"))->digest, 10,
                   "", ""}};
  image.config.diff_ids = {DigestOf("no archive")};

  const auto names = store_->Ensure(image);

  EXPECT_THAT(names.status().ToString(), HasSubstr(image.layers[0].digest));
  EXPECT_THAT(names.status().ToString(), HasSubstr("byte"));
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(LayerStoreTest, WhoComesMeanwhileWaitsForTheSameTree) {
  const ResolvedImage image = Image(std::string(1 << 20, 'x'));
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      if (store_->Ensure(image).ok()) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(good, 6);
  EXPECT_EQ(Entries(), 2u);
}

}  // namespace
}  // namespace brume::store::image

// The program's hidden mode, then the tests.
int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__unpack") {
    return brume::store::image::UnpackMain(argc - 2, argv + 2);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
