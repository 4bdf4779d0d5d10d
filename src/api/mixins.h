#pragma once

#include "api/route_rows.h"

#include <absl/types/span.h>

namespace brume::api {

// Routes that Google serves beside the annotations of the published protos:
// long-running operations, locations and aliases. In the services' own
// configuration ("http: rules:" of their service YAML), not in protos.
absl::Span<const RouteRow> MixinRows();

}  // namespace brume::api
