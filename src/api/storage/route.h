#pragma once

#include "api/wire.h"

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace brume::api::storage {

// The methods of the Storage JSON API that are served.
enum class Method {
  kBucketsDelete,
  kBucketsGet,
  kBucketsGetIamPolicy,
  kBucketsGetStorageLayout,
  kBucketsInsert,
  kBucketsList,
  kBucketsLockRetentionPolicy,
  kBucketsPatch,
  kBucketsSetIamPolicy,
  kBucketsTestIamPermissions,
  kBucketsUpdate,
  kBucketAcl,         // list, get, insert, update, patch, delete
  kDefaultObjectAcl,  // ditto
  kObjectAcl,         // ditto
  kEmptyList,         // of what no bucket here has: folders, notifications
  kNoSuchItem,        // one of those
  kObjectsCompose,
  kObjectsCopy,
  kObjectsDelete,
  kObjectsGet,
  kObjectsGetIamPolicy,
  kObjectsInsert,
  kObjectsList,
  kObjectsMove,
  kObjectsPatch,
  kObjectsRewrite,
  kObjectsSetIamPolicy,
  kObjectsTestIamPermissions,
  kObjectsUpdate,
  kServiceAccountGet,
  kBatch,
};

// What a request is about, by method, host and path.
struct Route {
  Method method = Method::kBucketsList;
  std::string_view name;        // "storage.objects.get"
  std::string_view permission;  // "storage.objects.get"; empty: none
  bool upload = false;          // below /upload or /resumable/upload
  bool download = false;        // below /download
  std::string bucket;
  std::string object;
  // Of copy, rewrite and move.
  std::string to_bucket;
  std::string to_object;
  std::string entity;  // of an access control list
  std::string kind;    // of an empty list: "storage#folders"
  std::string project;
};

// Whether the path is one of the JSON API's families, under either prefix.
bool IsJsonPath(std::string_view path, bool emulator);

// NOT_FOUND for a path that the API does not have, FAILED_PRECONDITION
// "METHOD_NOT_SERVED" for one that is not served, INVALID_ARGUMENT for a
// malformed escape.
absl::StatusOr<Route> FindRoute(const RequestHead& head);

}  // namespace brume::api::storage
