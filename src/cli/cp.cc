#include "base/status_macros.h"
#include "cli/cloud_client.h"
#include "cli/commands.h"
#include "cli/transfer.h"

namespace brume::cli {
namespace {

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const auto session,
                   CloudSession::Open(invocation, "brume-cp"));
  ASSIGN_OR_RETURN(const auto client, session->NewClient());
  ASSIGN_OR_RETURN(
      const std::vector<Transfer> transfers,
      PlanTransfers(client->storage(), invocation.values.operands(),
                    invocation.values.Switch("recursive")));
  RETURN_IF_ERROR(RunTransfers(*session, transfers));
  return 0;
}

}  // namespace

Command CpCommand() {
  return {.name = "cp",
          .summary = "Copy files to, from and between buckets.",
          .example =
              "  brume cp model.pt gs://my-bucket/models/\n"
              "  brume cp -r gs://my-bucket/data .",
          .operands = "SOURCE... DESTINATION",
          .settings = {"recursive", "project", "data", "port"},
          .run = Run};
}

}  // namespace brume::cli
