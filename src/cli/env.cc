#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace brume::cli {
namespace {

namespace json = boost::json;

// For any POSIX shell.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  if (invocation.values.Switch("unset")) {
    std::string out = "unset";
    for (const std::string& name : ChangedNames()) {
      base::StrAppend(&out, " ", name);
    }
    Print(out + "\n");
    return 0;
  }
  const bool offline = invocation.values.Switch("offline");
  ASSIGN_OR_RETURN(
      const Session session,
      OpenSession(invocation, {.label = offline ? "shell-offline" : "shell",
                               .lasting = true}));
  if (invocation.values.Switch("json")) {
    json::object set;
    for (const auto& [name, value] : session.environment.set) {
      set[name] = value;
    }
    json::array unset(session.environment.unset.begin(),
                      session.environment.unset.end());
    PrintJson(json::object{{"set", set}, {"unset", unset}});
    return 0;
  }
  std::string out;
  for (const std::string& name : session.environment.unset) {
    base::StrAppend(&out, "unset ", name, "\n");
  }
  for (const auto& [name, value] : session.environment.set) {
    base::StrAppend(&out, "export ", name, "=", Quoted(value), "\n");
  }
  Print(out);
  return 0;
}

}  // namespace

Command EnvCommand() {
  return {.name = "env",
          .summary =
              "Print the variables with which a shell's programs reach "
              "the local cloud.",
          .example =
              "  eval \"$(brume env)\"\n"
              "  eval \"$(brume env --unset)\"",
          .settings = {"offline", "project", "unset", "json", "data", "port"},
          .run = Run};
}

}  // namespace brume::cli
