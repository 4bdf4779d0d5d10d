#pragma once

#include "api/method.h"
#include "services/serviceusage/service_store.h"

namespace brume::api {

// google.api.serviceusage.v1.ServiceUsage. `services` must outlive the table.
void AddServiceUsageRows(MethodTable& table,
                         services::serviceusage::ServiceStore& services);

}  // namespace brume::api
