#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/cloud_client.h"
#include "cli/cloud_path.h"
#include "cli/commands.h"

#include <vector>

namespace brume::cli {
namespace {

using client::StorageClient;

absl::StatusOr<std::vector<client::ObjectInfo>> ObjectsOf(
    StorageClient& storage, const CloudPath& path, bool recursive) {
  std::vector<client::ObjectInfo> out;
  if (!path.object.empty() && !path.object.ends_with('/')) {
    absl::StatusOr<client::ObjectInfo> object =
        storage.Get(path.bucket, path.object);
    if (object.ok()) out.push_back(*std::move(object));
    if (!object.ok() && !(recursive && absl::IsNotFound(object.status()))) {
      return absl::Status(object.status().code(),
                          base::StrCat("remove '", path.Text(),
                                       "': ", object.status().message()));
    }
    if (!recursive) return out;
  }
  if (!recursive) {
    return absl::FailedPreconditionError(base::StrCat(
        "remove '", path.Text(), "': it is no object; add --recursive"));
  }
  std::string prefix = path.object;
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  RETURN_IF_ERROR(
      storage.List(path.bucket, prefix, "", [&](StorageClient::Item item) {
        out.push_back(*std::move(item.object));
        return absl::OkStatus();
      }));
  if (out.empty()) {
    return absl::NotFoundError(
        base::StrCat("remove '", path.Text(), "': nothing is there"));
  }
  return out;
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const auto session,
                   CloudSession::Open(invocation, "brume-rm"));
  ASSIGN_OR_RETURN(const auto client, session->NewClient());
  for (const std::string& operand : invocation.values.operands()) {
    ASSIGN_OR_RETURN(const CloudPath path, ParseCloudPath(operand));
    if (!path.remote) {
      return absl::InvalidArgumentError(base::StrCat(
          "remove '", operand, "': it is not in the cloud; use rm"));
    }
    ASSIGN_OR_RETURN(const std::vector<client::ObjectInfo> objects,
                     ObjectsOf(client->storage(), path,
                               invocation.values.Switch("recursive")));
    for (const client::ObjectInfo& object : objects) {
      const absl::Status status = client->storage().Delete(object);
      // Somebody else was faster.
      if (absl::IsNotFound(status)) continue;
      RETURN_IF_ERROR(status);
    }
  }
  return 0;
}

}  // namespace

Command RmCommand() {
  return {.name = "rm",
          .summary = "Remove objects.",
          .example =
              "  brume rm gs://my-bucket/old.csv\n"
              "  brume rm -r gs://my-bucket/tmp/",
          .operands = "gs://BUCKET/OBJECT...",
          .settings = {"recursive", "project", "data", "port"},
          .run = Run};
}

}  // namespace brume::cli
