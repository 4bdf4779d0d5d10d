#include "store/image/image_store.h"

#include "store/blob/file_blob_store.h"
#include "store/fs/posix_file_system.h"
#include "store/image/digest.h"
#include "store/image/import.h"
#include "store/image/layer_store.h"
#include "store/image/tar_writer.h"
#include "store/kv/memory_kv_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Layer(const std::string& file, const std::string& text) {
  TarWriter tar;
  TarEntry entry;
  entry.path = file;
  entry.mode = 0644;
  tar.Add(entry, text);
  return tar.Finish();
}

class ImageStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "image-XXXXXX").string();
    top_ = mkdtemp(pattern.data());
    auto blobs = FileBlobStore::Create(
        {.path = top_ / "blobs", .files = files_.get(), .kv = &kv_});
    ASSERT_TRUE(blobs.ok()) << blobs.status();
    blobs_ = *std::move(blobs);
    images_ = std::make_unique<ImageStore>(kv_, *blobs_);
  }
  void TearDown() override { fs::remove_all(top_); }

  std::string Add(const std::string& bytes) {
    const auto added = images_->AddBlob(*StringSource(bytes));
    EXPECT_TRUE(added.ok()) << added.status();
    return added.ok() ? added->digest : "";
  }
  // An image of one layer; its manifest's digest.
  std::string Put(const std::string& name, const std::string& tag,
                  const std::string& text) {
    const std::string layer = Layer("a", text);
    ImageConfig config;
    config.diff_ids = {DigestOf(layer)};
    const std::string document = WriteImageConfig(config);
    Manifest manifest;
    manifest.media_type = kOciManifest;
    manifest.config = {std::string(kOciConfig), Add(document), document.size(),
                       "", ""};
    manifest.layers = {
        {std::string(kOciLayer), Add(layer), layer.size(), "", ""}};
    const auto digest =
        images_->PutManifest(name, tag, "", WriteManifest(manifest), now_);
    EXPECT_TRUE(digest.ok()) << digest.status();
    return digest.ok() ? *digest : "";
  }
  absl::StatusOr<std::vector<std::string>> Import(const std::string& bytes,
                                                  std::string_view name = "") {
    const fs::path file = top_ / "archive.tar";
    std::ofstream(file, std::ios::binary) << bytes;
    auto archive = OpenArchive(
        base::UniqueFd(open(file.c_str(), O_RDONLY | O_CLOEXEC)), top_);
    if (!archive.ok()) return archive.status();
    return ImportImages(**archive, name, now_, *images_);
  }
  size_t BlobFiles() const {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(top_ / "blobs")) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  fs::path top_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  MemoryKvStore kv_;
  std::unique_ptr<FileBlobStore> blobs_;
  std::unique_ptr<ImageStore> images_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
};

void AddFile(TarWriter& tar, const std::string& path, std::string_view data) {
  TarEntry entry;
  entry.path = path;
  entry.mode = 0644;
  tar.Add(entry, data);
}

std::string DockerArchive(const std::string& layer, const std::string& diff_id,
                          const std::string& tags) {
  ImageConfig config;
  config.diff_ids = {diff_id};
  config.cmd = {"/a"};
  TarWriter tar;
  AddFile(tar, "c.json", WriteImageConfig(config));
  AddFile(tar, "l/layer.tar", layer);
  AddFile(tar, "manifest.json",
          R"([{"Config":"c.json","RepoTags":)" + tags +
              R"(,"Layers":["l/layer.tar"]}])");
  return tar.Finish();
}

TEST_F(ImageStoreTest, ImagesResolveByTagAndByDigest) {
  const std::string digest = Put("localhost:5000/team/app", "v1", "x");

  const auto by_tag = images_->Resolve("localhost:5000/team/app:v1");
  const auto by_digest = images_->Resolve("localhost:5000/team/app@" + digest);

  ASSERT_TRUE(by_tag.ok()) << by_tag.status();
  ASSERT_TRUE(by_digest.ok()) << by_digest.status();
  EXPECT_EQ(by_tag->manifest_digest, digest);
  EXPECT_EQ(by_digest->layers.size(), 1u);
}

TEST_F(ImageStoreTest, PrebuiltImagesAnswerUnderAllTheirNames) {
  Put(CanonicalPrebuiltName("us-docker.pkg.dev/vertex-ai/training/"
                            "pytorch-gpu.2-3"),
      "latest", "x");

  for (const char* name :
       {"us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3.py310:latest",
        "europe-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3"}) {
    EXPECT_TRUE(images_->Resolve(name).ok()) << name;
  }
}

TEST_F(ImageStoreTest, AMissingImageTellsWhatToDo) {
  EXPECT_THAT(images_->Resolve("us-docker.pkg.dev/vertex-ai/training/a.1-0")
                  .status()
                  .ToString(),
              HasSubstr("brume images stand-in"));
  EXPECT_THAT(images_->Resolve("example.com/a:b").status().ToString(),
              HasSubstr("brume images import"));
}

TEST_F(ImageStoreTest, WrongDigestsAreRefusedAndLeaveNothing) {
  const auto added =
      images_->AddBlob(*StringSource("x"), DigestOf("something else"));

  EXPECT_TRUE(absl::IsInvalidArgument(added.status())) << added.status();
  EXPECT_EQ(BlobFiles(), 0u);
}

TEST_F(ImageStoreTest, SharedLayersStayUntilTheLastImageGoes) {
  const std::string first = Put("h.io/a", "1", "same");
  const std::string second = Put("h.io/b", "1", "same");
  ASSERT_EQ(BlobFiles(), 2u);

  ASSERT_TRUE(images_->DeleteManifest("h.io/a", first).ok());
  EXPECT_EQ(BlobFiles(), 2u);
  EXPECT_FALSE(images_->Resolve("h.io/a:1").ok());
  EXPECT_TRUE(images_->Resolve("h.io/b:1").ok());
  ASSERT_TRUE(images_->DeleteManifest("h.io/b", second).ok());
  EXPECT_EQ(BlobFiles(), 0u);
}

TEST_F(ImageStoreTest, AManifestNeedsItsBlobs) {
  Manifest manifest;
  manifest.media_type = kOciManifest;
  manifest.config = {std::string(kOciConfig), DigestOf("none"), 4, "", ""};

  const auto put =
      images_->PutManifest("h.io/a", "1", "", WriteManifest(manifest), now_);

  EXPECT_TRUE(absl::IsFailedPrecondition(put.status())) << put.status();
}

TEST_F(ImageStoreTest, UploadsWithoutAManifestAreDropped) {
  Add("orphan");
  Put("h.io/a", "1", "kept");
  ASSERT_EQ(BlobFiles(), 3u);

  ASSERT_TRUE(images_->DropUnreferenced(absl::InfiniteFuture()).ok());

  EXPECT_EQ(BlobFiles(), 2u);
}

TEST_F(ImageStoreTest, DockerArchivesAreImported) {
  const std::string layer = Layer("a", "x");
  const auto stored = Import(
      DockerArchive(layer, DigestOf(layer), R"(["team/app:v1","h.io/b:2"])"));

  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_THAT(*stored, ElementsAre("docker.io/team/app:v1", "h.io/b:2"));
  const auto image = images_->Resolve("team/app:v1");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT(image->config.cmd, ElementsAre("/a"));
  const auto list = images_->List();
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->size(), 2u);
  EXPECT_EQ(list->front().size, layer.size());
}

TEST_F(ImageStoreTest, ANameReplacesTheArchivesTags) {
  const std::string layer = Layer("a", "x");
  const std::string archive = DockerArchive(layer, DigestOf(layer), "null");

  EXPECT_THAT(Import(archive).status().ToString(), HasSubstr("--name"));
  EXPECT_TRUE(Import(archive, "h.io/mine:1").ok());
  EXPECT_TRUE(images_->Resolve("h.io/mine:1").ok());
}

TEST_F(ImageStoreTest, ADamagedLayerIsRefusedAndLeavesNothing) {
  const auto stored = Import(DockerArchive(
      Layer("a", "x"), DigestOf("something else"), R"(["h.io/a:1"])"));

  EXPECT_THAT(stored.status().ToString(), HasSubstr("l/layer.tar"));
  EXPECT_TRUE(absl::IsInvalidArgument(stored.status()));
  EXPECT_EQ(BlobFiles(), 0u);
}

TEST_F(ImageStoreTest, OciLayoutsAreImported) {
  const std::string layer = Layer("a", "x");
  ImageConfig config;
  config.diff_ids = {DigestOf(layer)};
  const std::string document = WriteImageConfig(config);
  Manifest manifest;
  manifest.media_type = kOciManifest;
  manifest.config = {std::string(kOciConfig), DigestOf(document),
                     document.size(), "", ""};
  manifest.layers = {
      {std::string(kOciLayer), DigestOf(layer), layer.size(), "", ""}};
  const std::string bytes = WriteManifest(manifest);
  TarWriter tar;
  for (const std::string& blob : {layer, document, bytes}) {
    AddFile(tar, "./blobs/sha256/" + DigestOf(blob).substr(7), blob);
  }
  AddFile(tar, "./oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  AddFile(tar, "./index.json",
          R"({"schemaVersion":2,"manifests":[{"mediaType":")" +
              std::string(kOciManifest) + R"(","digest":")" + DigestOf(bytes) +
              R"(","size":)" + std::to_string(bytes.size()) +
              R"(,"annotations":{"org.opencontainers.image.ref.name":)" +
              R"("h.io/team/app:v2"}}]})");

  const auto stored = Import(tar.Finish());

  ASSERT_TRUE(stored.ok()) << stored.status();
  const auto image = images_->Resolve("h.io/team/app:v2");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->manifest_digest, DigestOf(bytes));
}

TEST_F(ImageStoreTest, WhatIsNoArchiveIsRefused) {
  EXPECT_THAT(Import(Layer("readme", "x")).status().ToString(),
              HasSubstr("manifest.json"));
  EXPECT_TRUE(absl::IsInvalidArgument(Import("not a tar").status()));
}

}  // namespace
}  // namespace brume::store::image
