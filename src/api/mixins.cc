#include "api/mixins.h"

namespace brume::api {
namespace {

constexpr std::string_view kVertex = "aiplatform.googleapis.com";
constexpr std::string_view kProjects = "cloudresourcemanager.googleapis.com";
constexpr std::string_view kUsage = "serviceusage.googleapis.com";
constexpr std::string_view kGet = "google.longrunning.Operations.GetOperation";
constexpr std::string_view kList =
    "google.longrunning.Operations.ListOperations";
constexpr std::string_view kDelete =
    "google.longrunning.Operations.DeleteOperation";
constexpr std::string_view kCancel =
    "google.longrunning.Operations.CancelOperation";
constexpr std::string_view kWait =
    "google.longrunning.Operations.WaitOperation";
constexpr std::string_view kGetLocation =
    "google.cloud.location.Locations.GetLocation";
constexpr std::string_view kListLocations =
    "google.cloud.location.Locations.ListLocations";

// The SDK's REST transport polls under /ui/, gcloud under /v1/. Operations of a
// resource ("projects/P/locations/L/customJobs/J/operations/O") are nested one
// to three collections deep.
constexpr RouteRow kRows[] = {
    {kVertex, "GET", "/ui/{name=projects/*/locations/*/operations/*}", kGet, "",
     ""},
    {kVertex, "GET", "/v1/{name=projects/*/locations/*/operations/*}", kGet, "",
     ""},
    {kVertex, "GET", "/ui/{name=projects/*/locations/*/*/*/operations/*}", kGet,
     "", ""},
    {kVertex, "GET", "/v1/{name=projects/*/locations/*/*/*/operations/*}", kGet,
     "", ""},
    {kVertex, "GET", "/ui/{name=projects/*/locations/*/*/*/*/*/operations/*}",
     kGet, "", ""},
    {kVertex, "GET", "/v1/{name=projects/*/locations/*/*/*/*/*/operations/*}",
     kGet, "", ""},
    {kVertex, "GET", "/ui/{name=projects/*/locations/*}/operations", kList, "",
     ""},
    {kVertex, "GET", "/v1/{name=projects/*/locations/*}/operations", kList, "",
     ""},
    {kVertex, "GET", "/ui/{name=projects/*/locations/*/*/*}/operations", kList,
     "", ""},
    {kVertex, "GET", "/v1/{name=projects/*/locations/*/*/*}/operations", kList,
     "", ""},
    {kVertex, "DELETE", "/ui/{name=projects/*/locations/*/operations/*}",
     kDelete, "", ""},
    {kVertex, "DELETE", "/v1/{name=projects/*/locations/*/operations/*}",
     kDelete, "", ""},
    {kVertex, "DELETE", "/ui/{name=projects/*/locations/*/*/*/operations/*}",
     kDelete, "", ""},
    {kVertex, "DELETE", "/v1/{name=projects/*/locations/*/*/*/operations/*}",
     kDelete, "", ""},
    {kVertex, "POST", "/ui/{name=projects/*/locations/*/operations/*}:cancel",
     kCancel, "", ""},
    {kVertex, "POST", "/v1/{name=projects/*/locations/*/operations/*}:cancel",
     kCancel, "", ""},
    {kVertex, "POST",
     "/ui/{name=projects/*/locations/*/*/*/operations/*}:cancel", kCancel, "",
     ""},
    {kVertex, "POST",
     "/v1/{name=projects/*/locations/*/*/*/operations/*}:cancel", kCancel, "",
     ""},
    {kVertex, "POST", "/ui/{name=projects/*/locations/*/operations/*}:wait",
     kWait, "", ""},
    {kVertex, "POST", "/v1/{name=projects/*/locations/*/operations/*}:wait",
     kWait, "", ""},
    {kVertex, "POST", "/ui/{name=projects/*/locations/*/*/*/operations/*}:wait",
     kWait, "", ""},
    {kVertex, "POST", "/v1/{name=projects/*/locations/*/*/*/operations/*}:wait",
     kWait, "", ""},
    {kVertex, "GET", "/ui/{name=projects/*/locations/*}", kGetLocation, "", ""},
    {kVertex, "GET", "/v1/{name=projects/*/locations/*}", kGetLocation, "", ""},
    {kVertex, "GET", "/ui/{name=projects/*}/locations", kListLocations, "", ""},
    {kVertex, "GET", "/v1/{name=projects/*}/locations", kListLocations, "", ""},
    {kProjects, "GET", "/v3/{name=operations/**}", kGet, "", ""},
    {kProjects, "GET", "/v1/{name=operations/**}", kGet, "", ""},
    {kUsage, "GET", "/v1/{name=operations/*}", kGet, "", ""},
    {kUsage, "GET", "/v1/operations", kList, "", ""},
    {kUsage, "DELETE", "/v1/{name=operations/*}", kDelete, "", ""},
    {kUsage, "POST", "/v1/{name=operations/*}:cancel", kCancel, "*", ""},
};

}  // namespace

absl::Span<const RouteRow> MixinRows() { return kRows; }

}  // namespace brume::api
