#include "services/compute/places.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/query/filter.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace brume::services::compute {
namespace {

namespace pb = brume::compute;

// cloud.google.com/compute/docs/regions-zones. The zones' letters.
struct RegionRow {
  std::string_view name;
  std::string_view zones;
};
constexpr RegionRow kRegions[] = {{"africa-south1", "abc"},
                                  {"asia-east1", "abc"},
                                  {"asia-east2", "abc"},
                                  {"asia-northeast1", "abc"},
                                  {"asia-northeast2", "abc"},
                                  {"asia-northeast3", "abc"},
                                  {"asia-south1", "abc"},
                                  {"asia-south2", "abc"},
                                  {"asia-southeast1", "abc"},
                                  {"asia-southeast2", "abc"},
                                  {"australia-southeast1", "abc"},
                                  {"australia-southeast2", "abc"},
                                  {"europe-central2", "abc"},
                                  {"europe-north1", "abc"},
                                  {"europe-southwest1", "abc"},
                                  {"europe-west1", "bcd"},
                                  {"europe-west10", "abc"},
                                  {"europe-west12", "abc"},
                                  {"europe-west2", "abc"},
                                  {"europe-west3", "abc"},
                                  {"europe-west4", "abc"},
                                  {"europe-west6", "abc"},
                                  {"europe-west8", "abc"},
                                  {"europe-west9", "abc"},
                                  {"me-central1", "abc"},
                                  {"me-central2", "abc"},
                                  {"me-west1", "abc"},
                                  {"northamerica-northeast1", "abc"},
                                  {"northamerica-northeast2", "abc"},
                                  {"southamerica-east1", "abc"},
                                  {"southamerica-west1", "abc"},
                                  {"us-central1", "abcf"},
                                  {"us-east1", "bcd"},
                                  {"us-east4", "abc"},
                                  {"us-east5", "abc"},
                                  {"us-south1", "abc"},
                                  {"us-west1", "abc"},
                                  {"us-west2", "abc"},
                                  {"us-west3", "abc"},
                                  {"us-west4", "abc"}};

constexpr std::string_view kCreated = "1969-12-31T16:00:00.000-08:00";

std::string Link(const Project& project, std::string_view rest) {
  return base::StrCat("https://www.googleapis.com/compute/v1/projects/",
                      project.id, rest);
}

// A number of its own for each place, the same everywhere.
uint64_t IdOf(std::string_view name) {
  uint64_t hash = 1469598103934665603U;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  return 1000 + hash % 9000;
}

pb::Zone ShowZone(const Project& project, std::string_view region,
                  char letter) {
  pb::Zone zone;
  zone.set_kind("compute#zone");
  zone.set_name(base::StrCat(region, "-", std::string(1, letter)));
  zone.set_id(IdOf(zone.name()));
  zone.set_creation_timestamp(std::string(kCreated));
  zone.set_description(zone.name());
  zone.set_status("UP");
  zone.set_region(Link(project, base::StrCat("/regions/", region)));
  zone.set_self_link(Link(project, base::StrCat("/zones/", zone.name())));
  zone.add_available_cpu_platforms("Intel Skylake");
  return zone;
}

pb::Region ShowRegion(const Project& project, const RegionRow& row) {
  pb::Region region;
  region.set_kind("compute#region");
  region.set_name(std::string(row.name));
  region.set_id(IdOf(row.name));
  region.set_creation_timestamp(std::string(kCreated));
  region.set_description(std::string(row.name));
  region.set_status("UP");
  region.set_self_link(Link(project, base::StrCat("/regions/", row.name)));
  for (const char letter : row.zones) {
    region.add_zones(Link(project, base::StrCat("/zones/", row.name, "-",
                                                std::string(1, letter))));
  }
  return region;
}

absl::Status NotFound(std::string_view project, std::string_view rest) {
  return absl::NotFoundError(base::ToAbsl(base::StrCat(
      "The resource 'projects/", project, rest, "' was not found")));
}

// Pages through items in order: the token is the last name given.
template <typename List, typename Item>
absl::Status Page(const pb::ListRequest& request, std::vector<Item> items,
                  List* list) {
  if (request.max_results() > 500) {
    return absl::InvalidArgumentError(
        "Invalid value for field 'maxResults': must be at most 500.");
  }
  const size_t wanted =
      request.max_results() == 0 ? 500 : request.max_results();
  ASSIGN_OR_RETURN(
      const query::Filter filter,
      query::Filter::Parse(request.filter(), query::Dialect::kAip160));
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.name() < b.name(); });
  for (Item& item : items) {
    if (item.name() <= request.page_token()) continue;
    ASSIGN_OR_RETURN(const bool matches, filter.Matches(item));
    if (!matches) continue;
    if (static_cast<size_t>(list->items_size()) == wanted) {
      list->set_next_page_token(list->items(list->items_size() - 1).name());
      break;
    }
    *list->add_items() = std::move(item);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<pb::Project> Places::GetProject(
    const pb::GetProjectRequest& request) const {
  ASSIGN_OR_RETURN(const Project project, find_project_(request.project()));
  pb::Project out;
  out.set_kind("compute#project");
  uint64_t number = 0;
  std::from_chars(project.number.data(),
                  project.number.data() + project.number.size(), number);
  out.set_id(number);
  out.set_creation_timestamp(std::string(kCreated));
  out.set_name(project.id);
  out.mutable_common_instance_metadata()->set_kind("compute#metadata");
  out.set_self_link(Link(project, ""));
  out.set_default_service_account(
      base::StrCat(project.number, "-compute@developer.gserviceaccount.com"));
  out.set_xpn_project_status("UNSPECIFIED_XPN_PROJECT_STATUS");
  out.set_default_network_tier("PREMIUM");
  out.set_vm_dns_setting("ZONAL_ONLY");
  out.set_cloud_armor_tier("CA_STANDARD");
  return out;
}

absl::StatusOr<pb::RegionList> Places::ListRegions(
    const pb::ListRequest& request) const {
  ASSIGN_OR_RETURN(const Project project, find_project_(request.project()));
  std::vector<pb::Region> items;
  for (const RegionRow& row : kRegions) {
    items.push_back(ShowRegion(project, row));
  }
  pb::RegionList list;
  list.set_kind("compute#regionList");
  list.set_id(base::StrCat("projects/", project.id, "/regions"));
  list.set_self_link(Link(project, "/regions"));
  RETURN_IF_ERROR(Page(request, std::move(items), &list));
  return list;
}

absl::StatusOr<pb::Region> Places::GetRegion(
    const pb::GetRegionRequest& request) const {
  ASSIGN_OR_RETURN(const Project project, find_project_(request.project()));
  for (const RegionRow& row : kRegions) {
    if (row.name == request.region()) return ShowRegion(project, row);
  }
  return NotFound(project.id, base::StrCat("/regions/", request.region()));
}

absl::StatusOr<pb::ZoneList> Places::ListZones(
    const pb::ListRequest& request) const {
  ASSIGN_OR_RETURN(const Project project, find_project_(request.project()));
  std::vector<pb::Zone> items;
  for (const RegionRow& row : kRegions) {
    for (const char letter : row.zones) {
      items.push_back(ShowZone(project, row.name, letter));
    }
  }
  pb::ZoneList list;
  list.set_kind("compute#zoneList");
  list.set_id(base::StrCat("projects/", project.id, "/zones"));
  list.set_self_link(Link(project, "/zones"));
  RETURN_IF_ERROR(Page(request, std::move(items), &list));
  return list;
}

absl::StatusOr<pb::Zone> Places::GetZone(
    const pb::GetZoneRequest& request) const {
  ASSIGN_OR_RETURN(const Project project, find_project_(request.project()));
  for (const RegionRow& row : kRegions) {
    for (const char letter : row.zones) {
      pb::Zone zone = ShowZone(project, row.name, letter);
      if (zone.name() == request.zone()) return zone;
    }
  }
  return NotFound(project.id, base::StrCat("/zones/", request.zone()));
}

}  // namespace brume::services::compute
