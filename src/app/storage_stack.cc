#include "app/storage_stack.h"

#include "api/storage/storage_json.h"
#include "base/log.h"
#include "base/status_macros.h"

#include <utility>

namespace brume::app {

absl::StatusOr<std::unique_ptr<StorageStack>> StorageStack::Create(
    Options options) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<services::storage::Generations> generations,
      services::storage::Generations::Create(options.kv, options.clock));
  std::unique_ptr<StorageStack> stack(
      new StorageStack(std::move(options), std::move(generations)));
  // What a crash left to collect.
  stack->CollectSoon();
  return stack;
}

StorageStack::StorageStack(
    Options options,
    std::unique_ptr<services::storage::Generations> generations)
    : options_(std::move(options)),
      generations_(std::move(generations)),
      buckets_({.kv = options_.kv, .clock = options_.clock}),
      objects_({.kv = options_.kv,
                .blobs = options_.blobs,
                .clock = options_.clock,
                .generations = generations_.get(),
                .freed = [this] { CollectSoon(); }}),
      uploads_({.kv = options_.kv,
                .blobs = options_.blobs,
                .objects = &objects_,
                .clock = options_.clock}),
      collector_(1) {}

StorageStack::~StorageStack() = default;

api::HttpSurface* StorageStack::Surface(const api::Admission* admission) {
  surface_ = std::make_unique<api::storage::StorageJson>(
      api::storage::StorageJson::Options{
          .services = {&buckets_, &objects_, &uploads_},
          .blobs = options_.blobs,
          .admission = admission,
          .default_project = options_.default_project});
  return surface_.get();
}

void StorageStack::CollectSoon() {
  if (collecting_.exchange(true)) return;
  collector_.Submit([this] {
    collecting_ = false;  // what comes from now on needs another round
    const absl::Status status = options_.blobs->Collect();
    if (status.ok()) return;
    base::Log(base::LogLevel::kWarn, "storage", "unused files not removed yet",
              {{"cause", status.ToString()}});
  });
}

}  // namespace brume::app
