#include "services/compute/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::services::compute {
namespace {

namespace pb = brume::compute;

Places Made() {
  return Places([](std::string_view name) -> absl::StatusOr<Project> {
    if (name == "p") return Project{"p", "12"};
    return absl::PermissionDeniedError("no such project");
  });
}

TEST(PlacesTest, AProjectHasItsNumberAndAccount) {
  pb::GetProjectRequest request;
  request.set_project("p");
  EXPECT_EQ(Made().GetProject(request)->id(), 12u);
  EXPECT_EQ(Made().GetProject(request)->default_service_account(),
            "12-compute@developer.gserviceaccount.com");
  request.set_project("q");
  EXPECT_FALSE(Made().GetProject(request).ok());
}

TEST(PlacesTest, ZonesAreListedInPagesAndByFilter) {
  pb::ListRequest request;
  request.set_project("p");
  const int all = Made().ListZones(request)->items_size();
  EXPECT_GT(all, 100);
  request.set_max_results(50);
  int paged = 0;
  while (true) {
    const auto page = Made().ListZones(request);
    ASSERT_TRUE(page.ok());
    paged += page->items_size();
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
  }
  EXPECT_EQ(paged, all);
  request.clear_page_token();
  request.set_filter("name = \"us-central1-*\"");
  EXPECT_EQ(Made().ListZones(request)->items_size(), 4);
}

TEST(PlacesTest, UnknownPlacesAreNotFound) {
  pb::GetZoneRequest zone;
  zone.set_project("p");
  zone.set_zone("us-central1-a");
  EXPECT_EQ(Made().GetZone(zone)->region(),
            "https://www.googleapis.com/compute/v1/projects/p/regions/"
            "us-central1");
  zone.set_zone("us-central1-z");
  EXPECT_EQ(Made().GetZone(zone).status().message(),
            "The resource 'projects/p/zones/us-central1-z' was not found");
  pb::GetRegionRequest region;
  region.set_project("p");
  region.set_region("us-east1");
  EXPECT_EQ(Made().GetRegion(region)->zones_size(), 3);
}

}  // namespace
}  // namespace brume::services::compute
