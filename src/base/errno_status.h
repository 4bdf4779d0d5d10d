#pragma once

#include <absl/status/status.h>

#include <string_view>

namespace brume::base {

// The one translation of errno. The message is "<action>: <strerror>", e.g.
// "open data file '/d/ab/12': Permission denied". ENOSPC, EDQUOT and EMFILE
// become RESOURCE_EXHAUSTED, ENOENT NOT_FOUND, EEXIST ALREADY_EXISTS, EACCES
// and EPERM PERMISSION_DENIED, the rest INTERNAL.
absl::Status ErrnoToStatus(int error, std::string_view action);

}  // namespace brume::base
