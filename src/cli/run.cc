#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/sealed_command.h"
#include "cli/session.h"

#include <memory>
#include <string>

namespace brume::cli {
namespace {

// "/usr/bin/python3.12" -> "python3.12": the run's name in every record.
std::string LabelOf(const std::string& program) {
  std::string label;
  for (const char c : program.substr(program.rfind('/') + 1)) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c >= '0' && c <= '9') || c == '.' || c == '_';
    label += fits ? c : '-';
  }
  if (label.size() > 40) label.resize(40);
  return label.empty() ? "command" : label;
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  const std::vector<std::string>& argv = invocation.values.operands();
  const bool sealed = invocation.values.Switch("sealed");
  ASSIGN_OR_RETURN(
      Session session,
      OpenSession(invocation, {.label = LabelOf(argv[0]), .sealed = sealed}));
  Program program = {.argv = argv, .environment = session.environment};
  std::unique_ptr<SealedCommand> mounts;
  if (sealed) {
    ASSIGN_OR_RETURN(mounts, SealedCommand::Prepare(
                                 session.files,
                                 invocation.environment("HOME").value_or("")));
    program.enter = [&mounts, &session] {
      return mounts->Enter(*session.network);
    };
  }
  const absl::StatusOr<int> code = RunProgram(program);
  CloseSession(session);
  return code;
}

}  // namespace

Command RunCommand() {
  return {.name = "run",
          .summary =
              "Run a program inside the local cloud; a server is started "
              "when none is up. Only variables are set: nothing of the "
              "machine changes.",
          .example =
              "  brume run -- gcloud projects list\n"
              "  brume run --sealed -- python train.py   (for clients "
              "that ignore proxies)",
          .operands = "-- CMD ARGS...",
          .settings = {"sealed", "offline", "project", "service-account",
                       "data", "port"},
          .runs_program = true,
          .run = Run};
}

}  // namespace brume::cli
