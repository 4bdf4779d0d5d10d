#pragma once

#include "store/fs/file_system.h"

#include <absl/status/status.h>

#include <string>

namespace brume::store {

// Reads the file VERSION of a data folder, a decimal number and a newline; a
// new folder gets one with `known`. FAILED_PRECONDITION when the number is
// greater than `known`, DATA_LOSS when the file is broken. The name becomes
// durable with the folder's next sync.
absl::Status CheckSchemaVersion(FileSystem& files, const std::string& folder,
                                int known);

}  // namespace brume::store
