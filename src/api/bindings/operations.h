#pragma once

#include "api/method.h"
#include "services/longrunning/operations.h"

#include <functional>

namespace brume::api {

// google.longrunning.Operations: get, list, wait, cancel and delete of every
// service's operations. `operations` must outlive the table.
struct OperationsHooks {
  // Asked to stop the work of an operation that is not done; OK when nothing
  // can be done about it (cancelling is best effort, AIP-151).
  std::function<absl::Status(std::string_view name)> cancel;
};
void AddOperationsRows(MethodTable& table,
                       services::longrunning::Operations& operations,
                       const base::Clock& clock, OperationsHooks hooks);

}  // namespace brume::api
