#include "exec/local/local_world.h"

#include "runtime/child_process.h"
#include "runtime/id_mapping.h"
#include "store/image/digest.h"
#include "store/image/tar_writer.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace brume::exec {
namespace {

namespace fs = std::filesystem;
namespace image = store::image;
using Type = image::TarEntry::Type;

constexpr const char* kBusybox = "/bin/busybox";
constexpr const char* kTools[] = {
    "sh",   "cat",     "echo", "grep",   "hostname", "id",   "ls",    "mount",
    "nc",   "pwd",     "seq",  "sleep",  "tail",     "test", "touch", "tr",
    "true", "unshare", "wget", "printf", "dd",       "head"};

class LayerMaker {
 public:
  void Folder(const std::string& path, uint32_t mode = 0755) {
    Add(Type::kDirectory, path, mode);
  }
  void File(const std::string& path, const std::string& data,
            uint32_t mode = 0644) {
    Add(Type::kFile, path, mode, "", data);
  }
  void Link(const std::string& path, const std::string& target) {
    Add(Type::kSymlink, path, 0777, target);
  }
  std::string Finish() { return tar_.Finish(); }

 private:
  void Add(Type type, const std::string& path, uint32_t mode,
           const std::string& link = "", const std::string& data = "") {
    image::TarEntry entry;
    entry.type = type;
    entry.path = path;
    entry.mode = mode;
    entry.link = link;
    tar_.Add(entry, data);
  }
  image::TarWriter tar_;
};

std::string BaseLayer() {
  LayerMaker layer;
  layer.Folder("bin");
  std::ifstream busybox(kBusybox, std::ios::binary);
  layer.File("bin/busybox",
             std::string((std::istreambuf_iterator<char>(busybox)), {}), 0755);
  for (const std::string tool : kTools) layer.Link("bin/" + tool, "busybox");
  layer.Folder("etc");
  layer.File("etc/passwd",
             "root:x:0:0:root:/root:/bin/sh\n"
             "app:x:1000:1000::/home/app:/bin/sh\n");
  layer.File("etc/group", "root:x:0:\napp:x:1000:\n");
  layer.Folder("tmp", 01777);
  layer.File("kept", "kept\n");
  layer.File("removed", "removed\n");
  return layer.Finish();
}

std::string TopLayer() {
  LayerMaker layer;
  layer.File(".wh.removed", "");
  return layer.Finish();
}

void PutImage(image::ImageStore& images, const std::string& name,
              image::ImageConfig config,
              const std::vector<std::string>& layers) {
  image::Manifest manifest;
  manifest.media_type = image::kOciManifest;
  for (const std::string& layer : layers) {
    const auto added = images.AddBlob(*image::StringSource(layer));
    ASSERT_TRUE(added.ok()) << added.status();
    config.diff_ids.push_back(added->digest);
    manifest.layers.push_back(
        {std::string(image::kOciLayer), added->digest, added->size, "", ""});
  }
  const auto added =
      images.AddBlob(*image::StringSource(image::WriteImageConfig(config)));
  ASSERT_TRUE(added.ok()) << added.status();
  manifest.config = {std::string(image::kOciConfig), added->digest, added->size,
                     "", ""};
  const auto put =
      images.PutManifest("docker.io/test/" + name, "latest", "",
                         image::WriteManifest(manifest), absl::Now());
  ASSERT_TRUE(put.ok()) << put.status();
}

}  // namespace

LocalWorld::LocalWorld() {
  std::string pattern = (fs::temp_directory_path() / "exec-XXXXXX").string();
  top_ = mkdtemp(pattern.data());
  if (!Unable().empty()) return;
  auto blobs = store::FileBlobStore::Create(
      {.path = top_ / "blobs", .files = files_.get(), .kv = &kv_});
  if (!blobs.ok()) {
    ADD_FAILURE() << blobs.status();
    return;
  }
  blobs_ = *std::move(blobs);
  images_ = std::make_unique<image::ImageStore>(kv_, *blobs_);
  AddImages();
  Open();
}

LocalWorld::~LocalWorld() {
  if (executor_ != nullptr) {
    // No test leaves a program running.
    for (const std::string& id :
         executor_->List().value_or(std::vector<std::string>())) {
      executor_->Stop(id, absl::ZeroDuration()).IgnoreError();
      const absl::Time deadline = absl::Now() + absl::Seconds(20);
      while (absl::IsFailedPrecondition(executor_->Remove(id)) &&
             absl::Now() < deadline) {
        executor_->WaitForChange(absl::Now() + absl::Milliseconds(200));
      }
    }
  }
  executor_.reset();
  if (layers_ != nullptr) {
    // Layers belong to subordinate ids when an ordinary user runs this.
    for (const auto& entry : fs::directory_iterator(top_ / "layers")) {
      runtime::RunChild({.argv = {"/proc/self/exe", "__unpack", "remove",
                                  (top_ / "layers").string(),
                                  entry.path().filename().string()}})
          .status()
          .IgnoreError();
    }
  }
  fs::remove_all(top_);
}

std::string LocalWorld::Unable() {
  if (access(kBusybox, X_OK) != 0) {
    return "no /bin/busybox: install the package 'busybox-static'";
  }
  if (access("/usr/sbin/runc", X_OK) != 0 &&
      access("/usr/bin/runc", X_OK) != 0) {
    return "no runc: install the package 'runc'";
  }
  if (geteuid() != 0) {
    if (access("/usr/bin/newuidmap", X_OK) != 0) {
      return "no newuidmap: install the package 'uidmap'";
    }
    const auto ids = runtime::OwnSubordinateIds();
    if (!ids.ok()) return std::string(ids.status().message());
  }
  return "";
}

void LocalWorld::AddImages() {
  const std::string base = BaseLayer();
  PutImage(*images_, "shell", {}, {base});
  image::ImageConfig app;
  app.entrypoint = {"/bin/echo", "entry"};
  app.cmd = {"cmd"};
  app.user = "app";
  app.working_dir = "/made/here";
  app.env = {"FROM_IMAGE=image"};
  PutImage(*images_, "app", app, {base, TopLayer()});
}

void LocalWorld::Open() {
  image::LayerStore::Options layers;
  layers.folder = top_ / "layers";
  layers.unpacker = {"/proc/self/exe", "__unpack"};
  auto store = image::LayerStore::Create(layers, *images_);
  ASSERT_TRUE(store.ok()) << store.status();
  layers_ = *std::move(store);
  LocalExecutor::Options options;
  options.folder = top_ / "tasks";
  options.supervisor = {"/proc/self/exe", "__supervise"};
  options.ca_file = ca_file_;
  options.listeners_ready = [this](const TaskSpec& spec,
                                   runtime::SealedListeners listeners) {
    absl::MutexLock lock(&mutex_);
    listeners_[spec.id] = std::move(listeners);
  };
  options.listeners_gone = [this](const std::string& id) {
    absl::MutexLock lock(&mutex_);
    listeners_.erase(id);
  };
  auto executor =
      LocalExecutor::Create(std::move(options), *images_, *layers_, clock_);
  ASSERT_TRUE(executor.ok()) << executor.status();
  executor_ = *std::move(executor);
}

void LocalWorld::Restart() {
  Close();
  Open();
}

runtime::SealedListeners LocalWorld::AwaitListeners(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto there = [this, &id]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return listeners_.contains(id);
  };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20))) {
    return {};
  }
  return std::move(listeners_[id]);
}

size_t LocalWorld::listener_count() {
  absl::MutexLock lock(&mutex_);
  return listeners_.size();
}

}  // namespace brume::exec
