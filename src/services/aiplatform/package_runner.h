#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brume::services::aiplatform {

// What Vertex AI's prebuilt images do with a Python package: download it, pip
// install it, run the module. Here a Python program given to the image's
// python3, which needs nothing but the standard library and pip. The argv that
// replaces the image's entry point.
std::vector<std::string> PackageRunnerCommand(
    const std::vector<std::string>& package_uris, std::string_view module,
    const std::vector<std::string>& args);

}  // namespace brume::services::aiplatform
