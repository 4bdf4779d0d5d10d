#include "config/version.h"

#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <boost/json/object.hpp>

namespace brume::cli {
namespace {

absl::StatusOr<int> Run(const Invocation& invocation) {
  if (invocation.values.Switch("json")) {
    PrintJson(boost::json::object{{"version", std::string(config::kVersion)}});
  } else {
    Print(base::StrCat("brume ", config::kVersion, "\n"));
  }
  return 0;
}

}  // namespace

Command VersionCommand() {
  return {.name = "version",
          .summary = "Print the version of this program.",
          .example = "  brume version",
          .settings = {"json"},
          .run = Run};
}

}  // namespace brume::cli
