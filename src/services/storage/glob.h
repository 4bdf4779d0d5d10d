#pragma once

#include <string_view>

namespace brume::services::storage {

// Cloud Storage's glob patterns (objects.list, matchGlob): "*" and "?" stop at
// "/", "**" does not, "[a-c]" and "[!a]" are sets, "{x,y}" alternatives, "\"
// takes the next character as it is.
bool MatchesGlob(std::string_view pattern, std::string_view name);

}  // namespace brume::services::storage
