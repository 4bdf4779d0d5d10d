#pragma once

#include "api/method.h"
#include "services/logging/log_store.h"

namespace brume::api {

// google.logging.v2.LoggingServiceV2. `logs` must outlive the table.
void AddLoggingRows(MethodTable& table, services::logging::LogStore& logs);

}  // namespace brume::api
