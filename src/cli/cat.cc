#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/cloud_client.h"
#include "cli/cloud_path.h"
#include "cli/commands.h"
#include "cli/transfer.h"

namespace brume::cli {
namespace {

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const auto session,
                   CloudSession::Open(invocation, "brume-cat"));
  ASSIGN_OR_RETURN(const auto client, session->NewClient());
  for (const std::string& operand : invocation.values.operands()) {
    ASSIGN_OR_RETURN(const CloudPath path, ParseCloudPath(operand));
    if (!path.remote) {
      return absl::InvalidArgumentError(
          base::StrCat("print '", operand, "': it is not in the cloud"));
    }
    // One after another: their order is the order of the output.
    ASSIGN_OR_RETURN(const std::vector<Transfer> transfers,
                     PlanTransfers(client->storage(), {operand, "-"}, false));
    RETURN_IF_ERROR(RunTransfers(*session, transfers));
  }
  return 0;
}

}  // namespace

Command CatCommand() {
  return {.name = "cat",
          .summary = "Print objects.",
          .example = "  brume cat gs://my-bucket/metrics.json",
          .operands = "gs://BUCKET/OBJECT...",
          .settings = {"project", "data", "port"},
          .run = Run};
}

}  // namespace brume::cli
