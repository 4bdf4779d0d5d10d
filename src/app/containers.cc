#include "app/containers.h"

#include "app/hidden_modes.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "exec/local/local_executor.h"

#include <absl/time/clock.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brume::app {
namespace {

// It still leads to our program when the file was replaced by a newer one.
constexpr const char* kSelf = "/proc/self/exe";
// Layers whose manifest never came: a push that was given up.
constexpr absl::Duration kKeepUnreferenced = absl::Hours(24);

// Unpacked layers of images that are gone take room for nothing.
absl::Status DropUnusedLayers(const std::string& tasks,
                              store::image::ImageStore& images,
                              store::image::LayerStore& layers) {
  ASSIGN_OR_RETURN(std::set<std::string> names,
                   exec::LocalExecutor::LayersInUse(tasks));
  ASSIGN_OR_RETURN(const std::vector<store::image::ImageSummary> known,
                   images.List());
  for (const store::image::ImageSummary& row : known) {
    const auto image = images.Resolve(base::StrCat(row.name, "@", row.digest));
    if (!image.ok()) continue;  // of another platform
    for (const std::string& diff_id : image->config.diff_ids) {
      names.insert(store::image::LayerStore::NameOf(diff_id));
    }
  }
  return layers.KeepOnly(names);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Containers>> Containers::Create(
    const Options& options) {
  auto out = std::unique_ptr<Containers>(new Containers(options));
  RETURN_IF_ERROR(
      out->images_.DropUnreferenced(options.clock->Now() - kKeepUnreferenced));
  ASSIGN_OR_RETURN(out->layers_, store::image::LayerStore::Create(
                                     {
                                         .folder = options.data + "/layers",
                                         .unpacker = {kSelf, kUnpackMode},
                                     },
                                     out->images_));
  const std::string tasks = options.data + "/tasks";
  RETURN_IF_ERROR(DropUnusedLayers(tasks, out->images_, *out->layers_));
  JobNetwork* network = &out->network_;
  exec::LocalExecutor::Options engine;
  engine.folder = tasks;
  engine.supervisor = {kSelf, kSuperviseMode};
  engine.ca_file = options.ca_file;
  engine.listeners_ready = [network](const exec::TaskSpec& task,
                                     runtime::SealedListeners listeners) {
    network->Ready(task, std::move(listeners));
  };
  engine.listeners_gone = [network](const std::string& id) {
    network->Gone(id);
  };
  ASSIGN_OR_RETURN(out->executor_,
                   exec::LocalExecutor::Create(std::move(engine), out->images_,
                                               *out->layers_, *options.clock));
  out->image_desk_ = std::make_unique<ImageDesk>(
      ImageDesk::Options{.images = &out->images_,
                         .layers = out->layers_.get(),
                         .scratch = options.data});
  return out;
}

Containers::~Containers() = default;

exec::Executor& Containers::executor() { return *executor_; }

}  // namespace brume::app
