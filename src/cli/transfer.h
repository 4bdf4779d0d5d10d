#pragma once

#include "cli/cloud_client.h"
#include "cli/cloud_path.h"
#include "client/storage_client.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace brume::cli {

// One file or object on its way.
struct Transfer {
  CloudPath from;
  CloudPath to;
  uint64_t size = 0;
  client::ObjectInfo object;  // when `from` is remote
};

// What `brume cp` is to do, from its operands: gsutil's rules. Into a folder
// (one that exists, or is named with a slash at its end; a bucket is one) goes
// the source's own name; else `to` is the new name. With `recursive` a source
// may be a folder or a prefix. NOT_FOUND when a source is not there.
absl::StatusOr<std::vector<Transfer>> PlanTransfers(
    client::StorageClient& storage, const std::vector<std::string>& operands,
    bool recursive);

// Makes them, several at a time, with a progress line on a terminal's stderr.
// The first error, after all others have been tried.
absl::Status RunTransfers(const CloudSession& session,
                          const std::vector<Transfer>& transfers);

}  // namespace brume::cli
