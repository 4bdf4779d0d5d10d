#pragma once

#include <string_view>

// Where a bucket can lie. Source: Cloud Storage's documentation of bucket
// locations and storage classes (2026).
namespace brume::services::storage {

// "region", "dual-region" or "multi-region" of an upper-case location; empty
// when there is no such place.
std::string_view LocationType(std::string_view location);

bool IsStorageClass(std::string_view name);

}  // namespace brume::services::storage
