#pragma once

#include "store/kv/key.h"
#include "store/kv/kv_store.h"

#include <cstdint>
#include <string>
#include <string_view>

// Where Cloud Storage's rows lie. Object names order by bytes, so a list is a
// range scan.
//   storage.bucket          bucket                     BucketRecord
//   storage.project_bucket  project id, bucket         empty
//   storage.object          bucket, object             ObjectRecord (live)
//   storage.noncurrent      bucket, object, generation ObjectRecord
//   storage.bytes           bytes id                   small object's bytes
//   storage.upload          upload id                  UploadRecord
namespace brume::services::storage {

std::string BucketKey(std::string_view bucket);
std::string ProjectBucketKey(std::string_view project, std::string_view bucket);
store::KeyRange ProjectBuckets(std::string_view project);
std::string ObjectKey(std::string_view bucket, std::string_view object);
std::string NoncurrentKey(std::string_view bucket, std::string_view object,
                          int64_t generation);
// All noncurrent generations of one object.
store::KeyRange NoncurrentOf(std::string_view bucket, std::string_view object);
std::string BytesKey(int64_t bytes_id);
std::string UploadKey(std::string_view upload_id);
store::KeyRange AllUploads();

// Rows of `table` ("storage.object" or "storage.noncurrent") whose object name
// begins with `prefix`.
store::KeyRange ObjectsWithPrefix(std::string_view table,
                                  std::string_view bucket,
                                  std::string_view prefix);
// The first key of `table` whose object name is `name` or later.
std::string ObjectsFrom(std::string_view table, std::string_view bucket,
                        std::string_view name);

}  // namespace brume::services::storage
