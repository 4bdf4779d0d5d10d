#pragma once

#include <optional>

namespace brume::app {

// The first word of what the server starts of its own program.
inline constexpr const char* kSuperviseMode = "__supervise";
inline constexpr const char* kUnpackMode = "__unpack";

// Runs the mode that the command line names; nullopt when it names none. Call
// it before anything makes a thread.
std::optional<int> RunHiddenMode(int argc, char** argv);

}  // namespace brume::app
