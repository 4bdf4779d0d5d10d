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
#include <optional>
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

  struct InsertRequest {
    brume::storage::Bucket bucket;
    std::string project_id;
    uint64_t project_number = 0;
    std::string predefined_acl;
    std::string predefined_default_object_acl;
    bool object_retention = false;
  };
  // A new bucket with what the request says and Google's defaults for the rest.
  absl::StatusOr<brume::storage::BucketRecord> Insert(InsertRequest request);
  absl::StatusOr<brume::storage::BucketRecord> Get(
      std::string_view name, const brume::storage::Conditions& conditions);
  // The id of the project that a bucket belongs to; nullopt: no such bucket.
  absl::StatusOr<std::optional<std::string>> ProjectOf(std::string_view name);

  struct Page {
    std::vector<brume::storage::BucketRecord> buckets;
    std::string next_page_token;
  };
  absl::StatusOr<Page> List(std::string_view project_id,
                            std::string_view prefix, size_t max_results,
                            std::string_view page_token);

  // Applies `change`, renews what follows from it; metageneration rises by one.
  absl::StatusOr<brume::storage::BucketRecord> Update(
      std::string_view name, const brume::storage::Conditions& conditions,
      const BucketChange& change);
  // As Update, but of the policy: it has a generation (etag) of its own.
  // Refused with 412 unless `etag` is the present one's or absent.
  absl::StatusOr<brume::storage::BucketRecord> SetPolicy(
      std::string_view name, const google::iam::v1::Policy& policy,
      std::optional<std::string> etag);
  // Refused while it holds an object of any generation.
  absl::Status Delete(std::string_view name,
                      const brume::storage::Conditions& conditions);

 private:
  const Options options_;
};

// The etag of a bucket's policy, as the API shows it.
std::string PolicyEtag(const brume::storage::BucketRecord& record);

}  // namespace brume::services::storage
