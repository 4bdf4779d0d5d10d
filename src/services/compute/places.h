#pragma once

#include <absl/status/statusor.h>
#include <brume/compute/compute.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

// Compute Engine v1, as far as gcloud asks it while it sets a project up: the
// project itself, its regions and zones. There are no machines.
namespace brume::services::compute {

struct Project {
  std::string id;
  std::string number;
};

// Thread-safe.
class Places {
 public:
  using FindProject =
      std::function<absl::StatusOr<Project>(std::string_view id_or_number)>;
  explicit Places(FindProject find_project)
      : find_project_(std::move(find_project)) {}

  absl::StatusOr<brume::compute::Project> GetProject(
      const brume::compute::GetProjectRequest& request) const;
  absl::StatusOr<brume::compute::RegionList> ListRegions(
      const brume::compute::ListRequest& request) const;
  absl::StatusOr<brume::compute::Region> GetRegion(
      const brume::compute::GetRegionRequest& request) const;
  absl::StatusOr<brume::compute::ZoneList> ListZones(
      const brume::compute::ListRequest& request) const;
  absl::StatusOr<brume::compute::Zone> GetZone(
      const brume::compute::GetZoneRequest& request) const;

 private:
  FindProject find_project_;
};

}  // namespace brume::services::compute
