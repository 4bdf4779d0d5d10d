#include "api/bindings/compute.h"

namespace brume::api {

namespace pb = brume::compute;

void AddComputeRows(MethodTable& table, services::compute::Places& places) {
  table.Add(Row<pb::GetProjectRequest, pb::Project>(
      "brume.compute.Compute.GetProject",
      Access::Permission("compute.projects.get", "project"),
      [&places](const Call&, const pb::GetProjectRequest& request) {
        return places.GetProject(request);
      }));
  table.Add(Row<pb::ListRequest, pb::RegionList>(
      "brume.compute.Compute.ListRegions",
      Access::Permission("compute.regions.list", "project"),
      [&places](const Call&, const pb::ListRequest& request) {
        return places.ListRegions(request);
      }));
  table.Add(Row<pb::GetRegionRequest, pb::Region>(
      "brume.compute.Compute.GetRegion",
      Access::Permission("compute.regions.get", "project"),
      [&places](const Call&, const pb::GetRegionRequest& request) {
        return places.GetRegion(request);
      }));
  table.Add(Row<pb::ListRequest, pb::ZoneList>(
      "brume.compute.Compute.ListZones",
      Access::Permission("compute.zones.list", "project"),
      [&places](const Call&, const pb::ListRequest& request) {
        return places.ListZones(request);
      }));
  table.Add(Row<pb::GetZoneRequest, pb::Zone>(
      "brume.compute.Compute.GetZone",
      Access::Permission("compute.zones.get", "project"),
      [&places](const Call&, const pb::GetZoneRequest& request) {
        return places.GetZone(request);
      }));
}

}  // namespace brume::api
