#pragma once

#include <cstddef>
#include <string_view>

// The rows generated at build time from the descriptors of every known service
// (tools/generate_routes.cc over proto/known.txt and our own protos). Constant
// data: nothing is parsed at start.
namespace brume::api {

// One HTTP binding (google.api.http; additional bindings are rows of their
// own).
struct RouteRow {
  std::string_view
      service_host;         // google.api.default_host, "iam.googleapis.com"
  std::string_view verb;    // "GET"
  std::string_view path;    // "/v1/{name=projects/*/serviceAccounts/*}:enable"
  std::string_view method;  // "google.iam.admin.v1.IAM.EnableServiceAccount"
  std::string_view body;    // "", "*" or a field's name
  std::string_view response_body;  // "" or a field's name
};

// One method of a known service, whether or not it has an HTTP binding.
struct KnownMethod {
  std::string_view name;
  std::string_view service_host;
  bool streaming;
};

// Sorted by service_host; rows of one host in the order of the protos.
extern const RouteRow kRouteRows[];
extern const size_t kRouteRowCount;
// Sorted by name.
extern const KnownMethod kKnownMethods[];
extern const size_t kKnownMethodCount;

// nullptr when no known service has that method.
const KnownMethod* FindKnownMethod(std::string_view name);
inline bool IsKnownMethod(std::string_view name) {
  return FindKnownMethod(name) != nullptr;
}

}  // namespace brume::api
