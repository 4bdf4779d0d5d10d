#include "app/control_client.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace brume::cli {
namespace {

namespace json = boost::json;

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  return value->is_bool() && value->get_bool() ? "yes" : "no";
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  ASSIGN_OR_RETURN(const auto client, app::ControlClient::Connect(folder));
  ASSIGN_OR_RETURN(json::object status, client->Call("status"));
  if (invocation.values.Switch("json")) {
    status.erase("ok");
    PrintJson(status);
    return 0;
  }
  Print(base::StrCat(Painted("Brume serves", Colour::kGreen),
                     " on http://127.0.0.1:", Text(status, "port"), "\n"));
  for (const std::string_view name :
       {"version", "data", "pid", "started", "offline"}) {
    std::string left = base::StrCat("  ", name);
    left.resize(12, ' ');
    Print(base::StrCat(left, Text(status, name), "\n"));
  }
  std::vector<std::vector<std::string>> rows = {
      {"RUN", "KIND", "PID", "STARTED", "OFFLINE"}};
  for (const json::value& item : status.at("runs").as_array()) {
    const json::object& run = item.as_object();
    rows.push_back(
        {Text(run, "name"), Text(run, "lasting") == "yes" ? "shell" : "command",
         Text(run, "pid"), Text(run, "started"), Text(run, "offline")});
  }
  if (rows.size() > 1) Print("\n" + Table(rows));
  return 0;
}

}  // namespace

Command StatusCommand() {
  return {.name = "status",
          .summary =
              "Say whether a server uses the data folder, where it "
              "listens, and which commands run in it.",
          .example =
              "  brume status\n"
              "  brume status --json",
          .settings = {"data", "json"},
          .run = Run};
}

}  // namespace brume::cli
