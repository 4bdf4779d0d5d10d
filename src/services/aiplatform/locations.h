#pragma once

#include <absl/types/span.h>

#include <string_view>

namespace brume::services::aiplatform {

// The regions in which Vertex AI trains custom models (cloud.google.com/vertex-
// ai/docs/general/locations). The SDK refuses any other before it calls.
absl::Span<const std::string_view> Locations();
bool IsLocation(std::string_view name);

// Machine types of custom training (…/training/configure-compute).
bool IsMachineType(std::string_view name);

}  // namespace brume::services::aiplatform
