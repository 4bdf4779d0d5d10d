#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

// Small files of the user's, whole. Secrets are among them: 0600 and 0700.
namespace brume::cli {

// Empty when it cannot be read.
std::string ReadWholeFile(const std::string& path);

// Makes the folder and those above it.
absl::Status MakeFolders(const std::string& path);

// Replaces the file in one step; leaves it alone when it says that already.
absl::Status WriteWholeFile(const std::string& path, std::string_view text);

// Only when there is none.
absl::Status WriteNewFile(const std::string& path, std::string_view text);

}  // namespace brume::cli
