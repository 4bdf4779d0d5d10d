#include "services/aiplatform/locations.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace brume::services::aiplatform {
namespace {

constexpr std::string_view kLocations[] = {"africa-south1",
                                           "asia-east1",
                                           "asia-east2",
                                           "asia-northeast1",
                                           "asia-northeast2",
                                           "asia-northeast3",
                                           "asia-south1",
                                           "asia-southeast1",
                                           "asia-southeast2",
                                           "australia-southeast1",
                                           "australia-southeast2",
                                           "europe-central2",
                                           "europe-north1",
                                           "europe-southwest1",
                                           "europe-west1",
                                           "europe-west2",
                                           "europe-west3",
                                           "europe-west4",
                                           "europe-west6",
                                           "europe-west8",
                                           "europe-west9",
                                           "europe-west12",
                                           "me-central1",
                                           "me-central2",
                                           "me-west1",
                                           "northamerica-northeast1",
                                           "northamerica-northeast2",
                                           "southamerica-east1",
                                           "southamerica-west1",
                                           "us-central1",
                                           "us-east1",
                                           "us-east4",
                                           "us-east5",
                                           "us-south1",
                                           "us-west1",
                                           "us-west2",
                                           "us-west3",
                                           "us-west4"};

// "family-kind-" followed by one of the counts.
struct Family {
  std::string_view prefix;
  std::string_view counts;  // ",4,8,": each between commas
  std::string_view suffix;
};
constexpr Family kFamilies[] = {{"n1-standard-", ",4,8,16,32,64,96,", ""},
                                {"n1-highmem-", ",2,4,8,16,32,64,96,", ""},
                                {"n1-highcpu-", ",16,32,64,96,", ""},
                                {"e2-standard-", ",4,8,16,32,", ""},
                                {"e2-highmem-", ",2,4,8,16,", ""},
                                {"e2-highcpu-", ",16,32,", ""},
                                {"n2-standard-", ",4,8,16,32,48,64,80,", ""},
                                {"n2-highmem-", ",2,4,8,16,32,48,64,80,", ""},
                                {"n2-highcpu-", ",16,32,48,64,80,", ""},
                                {"c2-standard-", ",4,8,16,30,60,", ""},
                                {"c3-highcpu-", ",4,8,22,44,88,176,", ""},
                                {"c3-standard-", ",4,8,22,44,88,176,", ""},
                                {"c3-highmem-", ",4,8,22,44,88,176,", ""},
                                {"m1-ultramem-", ",40,80,160,", ""},
                                {"m1-megamem-", ",96,", ""},
                                {"a2-highgpu-", ",1,2,4,8,", "g"},
                                {"a2-megagpu-", ",16,", "g"},
                                {"a2-ultragpu-", ",1,2,4,8,", "g"},
                                {"a3-highgpu-", ",1,2,4,8,", "g"},
                                {"a3-edgegpu-", ",8,", "g"},
                                {"a3-megagpu-", ",8,", "g"},
                                {"a3-ultragpu-", ",8,", "g"},
                                {"a4-highgpu-", ",8,", "g"},
                                {"g2-standard-", ",4,8,12,16,24,32,48,96,", ""},
                                {"ct5lp-hightpu-", ",1,4,8,", "t"},
                                {"ct6e-standard-", ",1,4,8,", "t"}};

}  // namespace

absl::Span<const std::string_view> Locations() { return kLocations; }

bool IsLocation(std::string_view name) {
  return std::find(std::begin(kLocations), std::end(kLocations), name) !=
         std::end(kLocations);
}

bool IsMachineType(std::string_view name) {
  if (name == "cloud-tpu") return true;
  for (const Family& family : kFamilies) {
    if (name.substr(0, family.prefix.size()) != family.prefix) continue;
    std::string_view count = name.substr(family.prefix.size());
    if (count.size() <= family.suffix.size() ||
        count.substr(count.size() - family.suffix.size()) != family.suffix) {
      continue;
    }
    count.remove_suffix(family.suffix.size());
    const std::string wanted = "," + std::string(count) + ",";
    if (count.find(',') == std::string_view::npos &&
        family.counts.find(wanted) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace brume::services::aiplatform
