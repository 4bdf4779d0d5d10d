#pragma once

#include "exec/executor.h"

#include <absl/status/status.h>

#include <string_view>

namespace brume::exec {

// [a-z0-9-]{1,63}: also safe as a file name and as a host name.
bool IsTaskId(std::string_view text);

// What every engine refuses: INVALID_ARGUMENT "start task '<id>': <field> ...".
absl::Status CheckTaskSpec(const TaskSpec& spec);

}  // namespace brume::exec
