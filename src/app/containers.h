#pragma once

#include "app/image_desk.h"
#include "app/job_network.h"
#include "base/clock.h"
#include "exec/executor.h"
#include "store/blob/blob_store.h"
#include "store/image/image_store.h"
#include "store/image/layer_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace brume::app {

// Images and the engine that runs them: DATA/layers, DATA/tasks. Tasks go on
// when it is destroyed.
class Containers {
 public:
  struct Options {
    std::string data;
    store::KvStore* kv = nullptr;
    store::BlobStore* blobs = nullptr;
    const base::Clock* clock = nullptr;
    std::string ca_file;  // PEM
  };
  static absl::StatusOr<std::unique_ptr<Containers>> Create(
      const Options& options);
  ~Containers();

  exec::Executor& executor();
  store::image::ImageStore& images() { return images_; }
  ImageDesk& image_desk() { return *image_desk_; }
  JobNetwork& network() { return network_; }

 private:
  explicit Containers(const Options& options)
      : images_(*options.kv, *options.blobs) {}

  store::image::ImageStore images_;
  std::unique_ptr<store::image::LayerStore> layers_;
  JobNetwork network_;
  std::unique_ptr<exec::Executor> executor_;
  std::unique_ptr<ImageDesk> image_desk_;
};

}  // namespace brume::app
