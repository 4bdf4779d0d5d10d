#pragma once

#include "base/clock.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <brume/storage/bucket.pb.h>
#include <brume/storage/object.pb.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::services::storage {

// Changes a bucket in place; may refuse. May run more than once.
using BucketChange = std::function<absl::Status(brume::storage::BucketRecord&)>;

// Buckets: one row each, and an index by project. Every method returns when
// its effect is durable. Thread-safe.
class BucketStore {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
  };

  explicit BucketStore(Options options) : options_(options) {}

  // A new bucket with what `bucket` says and Google's defaults for the rest.
  absl::StatusOr<brume::storage::BucketRecord> Insert(
      brume::storage::Bucket bucket, std::string_view project_id,
      uint64_t project_number);
  absl::StatusOr<brume::storage::BucketRecord> Get(
      std::string_view name, const brume::storage::Conditions& conditions);

  struct Page {
    std::vector<brume::storage::BucketRecord> buckets;
    std::string next_page_token;
  };
  absl::StatusOr<Page> List(std::string_view project_id,
                            std::string_view prefix, size_t max_results,
                            std::string_view page_token);

  // Applies `change`; metageneration rises by one.
  absl::StatusOr<brume::storage::BucketRecord> Update(
      std::string_view name, const brume::storage::Conditions& conditions,
      const BucketChange& change);
  // Refused while it holds an object of any generation.
  absl::Status Delete(std::string_view name,
                      const brume::storage::Conditions& conditions);

 private:
  const Options options_;
};

}  // namespace brume::services::storage
