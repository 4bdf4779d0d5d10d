#pragma once

#include "api/method.h"
#include "services/compute/places.h"

namespace brume::api {

// brume.compute.Compute: the part of Compute Engine v1 that is served. `places`
// must outlive the table.
void AddComputeRows(MethodTable& table, services::compute::Places& places);

}  // namespace brume::api
