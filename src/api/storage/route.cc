#include "api/storage/route.h"

#include "api/http_error.h"
#include "api/query_string.h"
#include "api/storage/errors.h"
#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/match.h>

#include <array>
#include <optional>
#include <vector>

namespace brume::api::storage {
namespace {

using Segments = std::vector<std::string>;

struct Family {
  std::string_view prefix;
  bool upload;
  bool download;
};
constexpr std::array<Family, 4> kFamilies = {{
    {"/storage/v1", false, false},
    {"/upload/storage/v1", true, false},
    {"/resumable/upload/storage/v1", true, false},
    {"/download/storage/v1", false, true},
}};

bool Under(std::string_view path, std::string_view prefix) {
  return path.substr(0, prefix.size()) == prefix &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// A prefix that clients with an emulator's address leave out.
bool IsRootPath(std::string_view path) {
  return Under(path, "/b") ||
         (Under(path, "/projects") &&
          (path.find("/serviceAccount") != std::string_view::npos ||
           path.find("/hmacKeys") != std::string_view::npos));
}

bool IsBatch(std::string_view path) {
  return path == "/batch/storage/v1" || path == "/batch";
}

absl::StatusOr<Segments> Split(std::string_view path) {
  Segments segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    path = end == std::string_view::npos ? "" : path.substr(end);
    std::optional<std::string> decoded = base::PercentDecode(part);
    if (!decoded) {
      return services::storage::Invalid(
          base::StrCat("Invalid percent-encoding in path: ", part));
    }
    segments.push_back(*std::move(decoded));
  }
  // Old clients end a collection with a slash.
  if (!segments.empty() && segments.back().empty()) segments.pop_back();
  return segments;
}

// Fills in `route` for an access control list's method.
absl::StatusOr<Route> AclRoute(std::string_view verb, Route route,
                               std::string_view resource, bool item,
                               bool on_object) {
  const auto is = [&](std::string_view method, std::string_view name,
                      std::string_view permission) {
    if (verb != method) return false;
    route.name = name;
    route.permission = permission;
    return true;
  };
  const std::string_view get = on_object ? "storage.objects.getIamPolicy"
                                         : "storage.buckets.getIamPolicy";
  const std::string_view set = on_object ? "storage.objects.setIamPolicy"
                                         : "storage.buckets.setIamPolicy";
  const bool known = item ? is("GET", "get", get) || is("PUT", "update", set) ||
                                is("PATCH", "patch", set) ||
                                is("DELETE", "delete", set)
                          : is("GET", "list", get) || is("POST", "insert", set);
  if (!known) return NotFoundPath();
  // Names are of static storage.
  struct Row {
    std::string_view resource, verb, name;
  };
  static constexpr std::array<Row, 18> kRows = {{
      {"bucket", "list", "storage.bucketAccessControls.list"},
      {"bucket", "get", "storage.bucketAccessControls.get"},
      {"bucket", "insert", "storage.bucketAccessControls.insert"},
      {"bucket", "update", "storage.bucketAccessControls.update"},
      {"bucket", "patch", "storage.bucketAccessControls.patch"},
      {"bucket", "delete", "storage.bucketAccessControls.delete"},
      {"default", "list", "storage.defaultObjectAccessControls.list"},
      {"default", "get", "storage.defaultObjectAccessControls.get"},
      {"default", "insert", "storage.defaultObjectAccessControls.insert"},
      {"default", "update", "storage.defaultObjectAccessControls.update"},
      {"default", "patch", "storage.defaultObjectAccessControls.patch"},
      {"default", "delete", "storage.defaultObjectAccessControls.delete"},
      {"object", "list", "storage.objectAccessControls.list"},
      {"object", "get", "storage.objectAccessControls.get"},
      {"object", "insert", "storage.objectAccessControls.insert"},
      {"object", "update", "storage.objectAccessControls.update"},
      {"object", "patch", "storage.objectAccessControls.patch"},
      {"object", "delete", "storage.objectAccessControls.delete"},
  }};
  for (const Row& row : kRows) {
    if (row.resource == resource && row.verb == route.name) {
      route.name = row.name;
      break;
    }
  }
  return route;
}

// One served method: verb, what it is, its name and permission.
struct Verb {
  std::string_view verb;
  Method method;
  std::string_view name;
  std::string_view permission;
};

absl::StatusOr<Route> Choose(std::string_view verb, Route route,
                             std::initializer_list<Verb> verbs) {
  for (const Verb& candidate : verbs) {
    if (candidate.verb != verb) continue;
    route.method = candidate.method;
    route.name = candidate.name;
    route.permission = candidate.permission;
    return route;
  }
  return NotFoundPath();
}

// Collections that are always empty here: a list of nothing, no items, and
// nothing can be added.
absl::StatusOr<Route> EmptyCollection(std::string_view verb, Route route,
                                      std::string_view collection,
                                      std::string_view name, size_t depth) {
  route.kind = base::StrCat("storage#", collection);
  if (verb == "GET" && depth == 0) {
    route.method = Method::kEmptyList;
  } else if ((verb == "GET" || verb == "DELETE") && depth == 1) {
    route.method = Method::kNoSuchItem;
  } else {
    return MethodNotServed(base::StrCat("storage.", collection));
  }
  route.name = name;
  route.permission = name;
  return route;
}

absl::StatusOr<Route> ObjectRoute(std::string_view verb, Route route,
                                  const Segments& rest) {
  if (rest.empty()) {
    return Choose(verb, std::move(route),
                  {{"GET", Method::kObjectsList, "storage.objects.list",
                    "storage.objects.list"},
                   {"POST", Method::kObjectsInsert, "storage.objects.insert",
                    "storage.objects.create"},
                   {"PUT", Method::kObjectsInsert, "storage.objects.insert",
                    "storage.objects.create"},
                   {"DELETE", Method::kObjectsInsert, "storage.objects.insert",
                    "storage.objects.create"}});
  }
  route.object = rest[0];
  if (rest.size() == 1) {
    if (verb == "POST" && (rest[0] == "watch" || rest[0] == "bulkRestore")) {
      return MethodNotServed(rest[0] == "watch"
                                 ? "storage.objects.watchAll"
                                 : "storage.objects.bulkRestore");
    }
    return Choose(verb, std::move(route),
                  {{"GET", Method::kObjectsGet, "storage.objects.get",
                    "storage.objects.get"},
                   {"HEAD", Method::kObjectsGet, "storage.objects.get",
                    "storage.objects.get"},
                   {"PUT", Method::kObjectsUpdate, "storage.objects.update",
                    "storage.objects.update"},
                   {"PATCH", Method::kObjectsPatch, "storage.objects.patch",
                    "storage.objects.update"},
                   {"DELETE", Method::kObjectsDelete, "storage.objects.delete",
                    "storage.objects.delete"}});
  }
  const std::string& what = rest[1];
  if (what == "acl" && rest.size() <= 3) {
    route.method = Method::kObjectAcl;
    if (rest.size() == 3) route.entity = rest[2];
    return AclRoute(verb, std::move(route), "object", rest.size() == 3, true);
  }
  if (what == "iam" && rest.size() == 2) {
    return Choose(
        verb, std::move(route),
        {{"GET", Method::kObjectsGetIamPolicy, "storage.objects.getIamPolicy",
          "storage.objects.getIamPolicy"},
         {"PUT", Method::kObjectsSetIamPolicy, "storage.objects.setIamPolicy",
          "storage.objects.setIamPolicy"}});
  }
  if (what == "iam" && rest.size() == 3 && rest[2] == "testPermissions") {
    return Choose(verb, std::move(route),
                  {{"GET", Method::kObjectsTestIamPermissions,
                    "storage.objects.testIamPermissions", ""}});
  }
  if (what == "compose" && rest.size() == 2) {
    return Choose(verb, std::move(route),
                  {{"POST", Method::kObjectsCompose, "storage.objects.compose",
                    "storage.objects.create"}});
  }
  if (what == "moveTo" && rest.size() == 4 && rest[2] == "o") {
    route.to_bucket = route.bucket;
    route.to_object = rest[3];
    return Choose(verb, std::move(route),
                  {{"POST", Method::kObjectsMove, "storage.objects.move",
                    "storage.objects.move"}});
  }
  if ((what == "copyTo" || what == "rewriteTo") && rest.size() == 6 &&
      rest[2] == "b" && rest[4] == "o") {
    route.to_bucket = rest[3];
    route.to_object = rest[5];
    return what == "copyTo"
               ? Choose(verb, std::move(route),
                        {{"POST", Method::kObjectsCopy, "storage.objects.copy",
                          "storage.objects.create"}})
               : Choose(
                     verb, std::move(route),
                     {{"POST", Method::kObjectsRewrite,
                       "storage.objects.rewrite", "storage.objects.create"}});
  }
  if (what == "restore" && rest.size() == 2 && verb == "POST") {
    return MethodNotServed("storage.objects.restore");
  }
  return NotFoundPath();
}

absl::StatusOr<Route> BucketRoute(std::string_view verb, Route route,
                                  const Segments& rest) {
  if (rest.empty()) {
    return Choose(verb, std::move(route),
                  {{"GET", Method::kBucketsGet, "storage.buckets.get",
                    "storage.buckets.get"},
                   {"HEAD", Method::kBucketsGet, "storage.buckets.get",
                    "storage.buckets.get"},
                   {"PUT", Method::kBucketsUpdate, "storage.buckets.update",
                    "storage.buckets.update"},
                   {"PATCH", Method::kBucketsPatch, "storage.buckets.patch",
                    "storage.buckets.update"},
                   {"DELETE", Method::kBucketsDelete, "storage.buckets.delete",
                    "storage.buckets.delete"}});
  }
  const std::string& what = rest[0];
  if (what == "o") {
    return ObjectRoute(verb, std::move(route),
                       Segments(rest.begin() + 1, rest.end()));
  }
  if (what == "iam" && rest.size() == 1) {
    return Choose(
        verb, std::move(route),
        {{"GET", Method::kBucketsGetIamPolicy, "storage.buckets.getIamPolicy",
          "storage.buckets.getIamPolicy"},
         {"PUT", Method::kBucketsSetIamPolicy, "storage.buckets.setIamPolicy",
          "storage.buckets.setIamPolicy"}});
  }
  if (what == "iam" && rest.size() == 2 && rest[1] == "testPermissions") {
    return Choose(verb, std::move(route),
                  {{"GET", Method::kBucketsTestIamPermissions,
                    "storage.buckets.testIamPermissions", ""}});
  }
  if (what == "storageLayout" && rest.size() == 1) {
    return Choose(
        verb, std::move(route),
        {{"GET", Method::kBucketsGetStorageLayout,
          "storage.buckets.getStorageLayout", "storage.objects.list"}});
  }
  if (what == "lockRetentionPolicy" && rest.size() == 1) {
    return Choose(
        verb, std::move(route),
        {{"POST", Method::kBucketsLockRetentionPolicy,
          "storage.buckets.lockRetentionPolicy", "storage.buckets.update"}});
  }
  if ((what == "acl" || what == "defaultObjectAcl") && rest.size() <= 2) {
    const bool bucket = what == "acl";
    route.method = bucket ? Method::kBucketAcl : Method::kDefaultObjectAcl;
    if (rest.size() == 2) route.entity = rest[1];
    return AclRoute(verb, std::move(route), bucket ? "bucket" : "default",
                    rest.size() == 2, false);
  }
  const size_t depth = rest.size() - 1;
  if (what == "folders") {
    return EmptyCollection(verb, std::move(route), what, "storage.folders.list",
                           depth);
  }
  if (what == "managedFolders") {
    return EmptyCollection(verb, std::move(route), what,
                           "storage.managedFolders.list", depth);
  }
  if (what == "anywhereCaches") {
    return EmptyCollection(verb, std::move(route), what,
                           "storage.anywhereCaches.list", depth);
  }
  if (what == "notificationConfigs") {
    return EmptyCollection(verb, std::move(route), "notifications",
                           "storage.buckets.get", depth);
  }
  if ((what == "restore" || what == "relocate") && verb == "POST") {
    return MethodNotServed(what == "restore" ? "storage.buckets.restore"
                                             : "storage.buckets.relocate");
  }
  if (what == "operations") return MethodNotServed("storage.operations");
  return NotFoundPath();
}

}  // namespace

bool IsJsonPath(std::string_view path, bool emulator) {
  for (const Family& family : kFamilies) {
    if (Under(path, family.prefix)) return true;
  }
  return IsBatch(path) || (emulator && IsRootPath(path));
}

absl::StatusOr<Route> FindRoute(const RequestHead& head) {
  const std::string_view verb = head.method;
  std::string_view path = PathOf(head.target);
  Route route;
  if (IsBatch(path)) {
    route.method = Method::kBatch;
    route.name = "storage.batch";
    if (verb != "POST") return NotFoundPath();
    return route;
  }
  for (const Family& family : kFamilies) {
    if (!Under(path, family.prefix)) continue;
    path.remove_prefix(family.prefix.size());
    route.upload = family.upload;
    route.download = family.download;
    break;
  }
  ASSIGN_OR_RETURN(Segments segments, Split(path));
  if (segments.empty()) return NotFoundPath();
  if (segments[0] == "b") {
    if (segments.size() == 1) {
      return Choose(verb, std::move(route),
                    {{"GET", Method::kBucketsList, "storage.buckets.list",
                      "storage.buckets.list"},
                     {"POST", Method::kBucketsInsert, "storage.buckets.insert",
                      "storage.buckets.create"}});
    }
    route.bucket = segments[1];
    absl::StatusOr<Route> found = BucketRoute(
        verb, std::move(route), Segments(segments.begin() + 2, segments.end()));
    if (!found.ok()) return found;
    const bool insert = found->method == Method::kObjectsInsert;
    if (found->upload && !insert) return NotFoundPath();
    // PUT and DELETE are of resumable uploads alone.
    if (insert && !found->upload && verb != "POST") return NotFoundPath();
    if (found->download && found->method != Method::kObjectsGet) {
      return NotFoundPath();
    }
    return found;
  }
  if (segments[0] == "projects" && segments.size() >= 3) {
    route.project = segments[1];
    if (segments[2] == "serviceAccount" && segments.size() == 3) {
      return Choose(verb, std::move(route),
                    {{"GET", Method::kServiceAccountGet,
                      "storage.projects.serviceAccount.get",
                      "resourcemanager.projects.get"}});
    }
    if (segments[2] == "hmacKeys") {
      return EmptyCollection(verb, std::move(route), "hmacKeysMetadata",
                             "storage.hmacKeys.list", segments.size() - 3);
    }
  }
  if (segments[0] == "channels")
    return MethodNotServed("storage.channels.stop");
  return NotFoundPath();
}

}  // namespace brume::api::storage
