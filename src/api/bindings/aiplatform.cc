#include "api/bindings/aiplatform.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/aiplatform/locations.h"

#include <google/cloud/location/locations.pb.h>
#include <google/protobuf/empty.pb.h>

#include <string>

namespace brume::api {
namespace {

namespace v1 = google::cloud::aiplatform::v1;
namespace location = google::cloud::location;
namespace aiplatform = services::aiplatform;

location::Location LocationOf(std::string_view project, std::string_view name) {
  location::Location out;
  out.set_name(base::StrCat("projects/", project, "/locations/", name));
  out.set_location_id(std::string(name));
  return out;
}

}  // namespace

void AddAiPlatformRows(MethodTable& table, aiplatform::CustomJobs& jobs) {
  table.Add(Row<v1::CreateCustomJobRequest, v1::CustomJob>(
      "google.cloud.aiplatform.v1.JobService.CreateCustomJob",
      Access::Permission("aiplatform.customJobs.create", "parent"),
      [&jobs](const Call&, const v1::CreateCustomJobRequest& request) {
        return jobs.Create(request);
      }));
  table.Add(Row<v1::GetCustomJobRequest, v1::CustomJob>(
      "google.cloud.aiplatform.v1.JobService.GetCustomJob",
      Access::Permission("aiplatform.customJobs.get", "name"),
      [&jobs](const Call&, const v1::GetCustomJobRequest& request) {
        return jobs.Get(request);
      }));
  table.Add(Row<v1::ListCustomJobsRequest, v1::ListCustomJobsResponse>(
      "google.cloud.aiplatform.v1.JobService.ListCustomJobs",
      Access::Permission("aiplatform.customJobs.list", "parent"),
      [&jobs](const Call&, const v1::ListCustomJobsRequest& request) {
        return jobs.List(request);
      }));
  table.Add(Row<v1::CancelCustomJobRequest, google::protobuf::Empty>(
      "google.cloud.aiplatform.v1.JobService.CancelCustomJob",
      Access::Permission("aiplatform.customJobs.cancel", "name"),
      [&jobs](const Call&, const v1::CancelCustomJobRequest& request)
          -> absl::StatusOr<google::protobuf::Empty> {
        RETURN_IF_ERROR(jobs.Cancel(request));
        return google::protobuf::Empty();
      }));
  table.Add(Row<v1::DeleteCustomJobRequest, google::longrunning::Operation>(
      "google.cloud.aiplatform.v1.JobService.DeleteCustomJob",
      Access::Permission("aiplatform.customJobs.delete", "name"),
      [&jobs](const Call&, const v1::DeleteCustomJobRequest& request) {
        return jobs.Delete(request);
      }));

  table.Add(
      Row<location::ListLocationsRequest, location::ListLocationsResponse>(
          "google.cloud.location.Locations.ListLocations",
          Access::NoneOn("name", "the places of a service are public"),
          [](const Call& call, const location::ListLocationsRequest&)
              -> absl::StatusOr<location::ListLocationsResponse> {
            location::ListLocationsResponse response;
            for (const std::string_view name : aiplatform::Locations()) {
              *response.add_locations() = LocationOf(call.project_id, name);
            }
            return response;
          }));
  table.Add(Row<location::GetLocationRequest, location::Location>(
      "google.cloud.location.Locations.GetLocation",
      Access::NoneOn("name", "the places of a service are public"),
      [](const Call& call, const location::GetLocationRequest& request)
          -> absl::StatusOr<location::Location> {
        const std::string name =
            request.name().substr(request.name().rfind('/') + 1);
        if (!aiplatform::IsLocation(name)) {
          return absl::NotFoundError(
              base::ToAbsl(base::StrCat("Location ", name,
                                        " is not found or access is "
                                        "unauthorized.")));
        }
        return LocationOf(call.project_id, name);
      }));
}

}  // namespace brume::api
