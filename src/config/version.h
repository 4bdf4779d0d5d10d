#pragma once

#include <string_view>

namespace brume::config {

// Of the program, as `brume version` prints it.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace brume::config
