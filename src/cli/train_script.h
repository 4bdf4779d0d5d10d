#pragma once

#include "client/google_api.h"
#include "client/storage_client.h"

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace brume::cli {

// How a script reaches a job: it is an object of a bucket, and the container's
// python3 fetches and runs it with the job's own identity. Nothing in it is of
// the local cloud; the same job runs on Vertex AI.

// The bucket that is named, or "PROJECT-training"; made in `location` when it
// is not there.
absl::StatusOr<std::string> EnsureBucket(client::GoogleApi& api,
                                         std::string_view project,
                                         std::string_view bucket,
                                         std::string_view location);

// Its gs:// URI.
absl::StatusOr<std::string> UploadScript(client::StorageClient& storage,
                                         const std::string& bucket,
                                         const std::string& object,
                                         const std::string& path);

// The container's command; the script's arguments follow as `args`.
std::vector<std::string> RunScriptCommand(const std::string& uri);

}  // namespace brume::cli
