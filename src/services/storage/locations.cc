#include "services/storage/locations.h"

#include <algorithm>
#include <array>

namespace brume::services::storage {
namespace {

constexpr std::array<std::string_view, 3> kMulti = {"ASIA", "EU", "US"};
constexpr std::array<std::string_view, 6> kDual = {"ASIA1", "EUR4", "EUR5",
                                                   "EUR7",  "EUR8", "NAM4"};
constexpr std::array<std::string_view, 43> kRegions = {
    "AFRICA-SOUTH1",
    "ASIA-EAST1",
    "ASIA-EAST2",
    "ASIA-NORTHEAST1",
    "ASIA-NORTHEAST2",
    "ASIA-NORTHEAST3",
    "ASIA-SOUTH1",
    "ASIA-SOUTH2",
    "ASIA-SOUTHEAST1",
    "ASIA-SOUTHEAST2",
    "ASIA-SOUTHEAST3",
    "AUSTRALIA-SOUTHEAST1",
    "AUSTRALIA-SOUTHEAST2",
    "EUROPE-CENTRAL2",
    "EUROPE-NORTH1",
    "EUROPE-NORTH2",
    "EUROPE-SOUTHWEST1",
    "EUROPE-WEST1",
    "EUROPE-WEST2",
    "EUROPE-WEST3",
    "EUROPE-WEST4",
    "EUROPE-WEST6",
    "EUROPE-WEST8",
    "EUROPE-WEST9",
    "EUROPE-WEST10",
    "EUROPE-WEST12",
    "ME-CENTRAL1",
    "ME-CENTRAL2",
    "ME-WEST1",
    "NORTHAMERICA-NORTHEAST1",
    "NORTHAMERICA-NORTHEAST2",
    "NORTHAMERICA-SOUTH1",
    "SOUTHAMERICA-EAST1",
    "SOUTHAMERICA-WEST1",
    "US-CENTRAL1",
    "US-EAST1",
    "US-EAST4",
    "US-EAST5",
    "US-SOUTH1",
    "US-WEST1",
    "US-WEST2",
    "US-WEST3",
    "US-WEST4"};
constexpr std::array<std::string_view, 7> kClasses = {
    "ARCHIVE",        "COLDLINE", "DURABLE_REDUCED_AVAILABILITY",
    "MULTI_REGIONAL", "NEARLINE", "REGIONAL",
    "STANDARD"};

template <typename List>
bool Has(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

std::string_view LocationType(std::string_view location) {
  if (Has(kMulti, location)) return "multi-region";
  if (Has(kDual, location)) return "dual-region";
  if (Has(kRegions, location)) return "region";
  return "";
}

bool IsStorageClass(std::string_view name) { return Has(kClasses, name); }

}  // namespace brume::services::storage
