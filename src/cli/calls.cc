#include "app/control_client.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>

// brume calls: the record of what was asked of the cloud, and as whom.
namespace brume::cli {
namespace {

namespace json = boost::json;

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_int64()) return std::to_string(value->get_int64());
  return value->is_uint64() ? std::to_string(value->get_uint64()) : "";
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  ASSIGN_OR_RETURN(const auto client, app::ControlClient::Connect(folder));
  ASSIGN_OR_RETURN(
      const json::object reply,
      client->Call("usage",
                   json::object{{"run", invocation.values.Text("of")}}));
  const json::array& usage = reply.at("usage").as_array();
  if (invocation.values.Switch("json")) {
    PrintJson(usage);
    return 0;
  }
  if (usage.empty()) {
    PrintNote("nothing was called yet");
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"RUN", "PRINCIPAL", "PERMISSION", "RESOURCE", "CALLS", "VERDICT"}};
  for (const json::value& item : usage) {
    const json::object& row = item.as_object();
    const std::string permission = Text(row, "permission");
    rows.push_back({Text(row, "run"), Text(row, "principal"),
                    permission.empty() ? Text(row, "method") : permission,
                    Text(row, "resource"), Text(row, "count"),
                    Text(row, "verdict")});
  }
  Print(Table(rows));
  return 0;
}

}  // namespace

Command CallsCommand() {
  return {.name = "calls",
          .summary =
              "Show what was asked of the cloud: by which run, as whom, with "
              "which permission, how often.",
          .example =
              "  brume calls\n"
              "  brume calls --of job/1234567890123456789 --json",
          .settings = {"of", "json", "data"},
          .run = Run};
}

}  // namespace brume::cli
