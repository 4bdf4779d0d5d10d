#pragma once

#include "api/admission.h"
#include "api/http_surface.h"
#include "base/clock.h"
#include "runtime/worker_pool.h"
#include "services/storage/bucket_store.h"
#include "services/storage/generations.h"
#include "services/storage/object_store.h"
#include "services/storage/resumable_uploads.h"
#include "store/blob/blob_store.h"
#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>

#include <atomic>
#include <memory>
#include <string>

namespace brume::app {

// Cloud Storage, from the stores up to its surface. Thread-safe once made.
class StorageStack {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    store::BlobStore* blobs = nullptr;
    const base::Clock* clock = nullptr;
    // Id of the project that emulator-style clients mean; may be empty.
    std::string default_project;
  };

  static absl::StatusOr<std::unique_ptr<StorageStack>> Create(Options options);
  ~StorageStack();

  // The surface, admitting by `admission`, which must outlive it. Once.
  api::HttpSurface* Surface(const api::Admission* admission);

  services::storage::BucketStore& buckets() { return buckets_; }
  services::storage::ObjectStore& objects() { return objects_; }

 private:
  StorageStack(Options options,
               std::unique_ptr<services::storage::Generations> generations);
  // Removes files that nobody owns any more, off the requests' path.
  void CollectSoon();

  const Options options_;
  const std::unique_ptr<services::storage::Generations> generations_;
  services::storage::BucketStore buckets_;
  services::storage::ObjectStore objects_;
  services::storage::ResumableUploads uploads_;
  std::unique_ptr<api::HttpSurface> surface_;
  std::atomic<bool> collecting_ = false;
  runtime::WorkerPool collector_;  // first to go
};

}  // namespace brume::app
