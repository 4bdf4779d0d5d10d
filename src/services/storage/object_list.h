#pragma once

#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>
#include <brume/storage/object.pb.h>

#include <cstddef>
#include <string>
#include <vector>

namespace brume::services::storage {

struct ListRequest {
  std::string bucket;
  std::string prefix;
  std::string delimiter;
  std::string start_offset;  // inclusive
  std::string end_offset;    // exclusive; empty: none
  size_t max_results = 1000;
  std::string page_token;
  std::string match_glob;  // empty: every name
  bool versions = false;
  bool include_trailing_delimiter = false;
};

struct ListReply {
  std::vector<brume::storage::Object> items;
  std::vector<std::string> prefixes;
  std::string next_page_token;  // empty: this was the last page
};

// A page of a bucket's objects in byte order of their names, of one snapshot.
// What lies below a common prefix is skipped by seeking, so a page costs what
// it holds and not what the bucket holds. The bucket is not looked up.
absl::StatusOr<ListReply> ListObjects(store::KvReader& reader,
                                      const ListRequest& request);

}  // namespace brume::services::storage
