#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/server_start.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace brume::cli {
namespace {

namespace json = boost::json;

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr || !value->is_string()
             ? ""
             : std::string(value->get_string());
}

// The permissions, or why none is asked for.
std::string AccessOf(const json::object& method) {
  std::string out;
  for (const json::value& permission : method.at("permissions").as_array()) {
    base::StrAppend(&out, out.empty() ? "" : ", ",
                    std::string(permission.as_string()));
  }
  return out.empty() ? base::StrCat("none: ", Text(method, "reason")) : out;
}

std::string FirstRoute(const json::object& method) {
  const json::array& routes = method.at("routes").as_array();
  if (routes.empty()) return "-";
  const json::object& route = routes[0].as_object();
  return base::StrCat(Text(route, "verb"), " ", Text(route, "path"));
}

// docs/coverage.md.
std::string Markdown(const json::array& methods, const json::array& others,
                     int64_t known) {
  std::string out = base::StrCat(
      "# What is served\n\n", methods.size(), " of the ", known,
      " methods of the services that are known, each over gRPC and, where "
      "there is a path, REST. The others answer `METHOD_NOT_SERVED`. Beside "
      "these rows there are Cloud Storage's JSON API, OAuth's hosts and the "
      "metadata server. Made by `tools/coverage.py`; a test compares.\n");
  std::string service;
  for (const json::value& item : methods) {
    const json::object& method = item.as_object();
    const std::string name = Text(method, "method");
    const size_t dot = name.rfind('.');
    if (name.substr(0, dot) != service) {
      service = name.substr(0, dot);
      base::StrAppend(&out, "\n## ", service, "\n\n",
                      "| method | REST | permission |\n| --- | --- | --- |\n");
    }
    base::StrAppend(&out, "| ", name.substr(dot + 1), " | `",
                    FirstRoute(method), "` | ", AccessOf(method), " |\n");
  }
  out += "\n# What is known and not served\n";
  service.clear();
  for (const json::value& item : others) {
    const std::string name(item.as_string());
    const size_t dot = name.rfind('.');
    if (name.substr(0, dot) != service) {
      service = name.substr(0, dot);
      base::StrAppend(&out, "\n", service, ":\n");
    }
    base::StrAppend(&out, "- ", name.substr(dot + 1), "\n");
  }
  return out;
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  ASSIGN_OR_RETURN(const auto client, ConnectOrStart(invocation, folder));
  ASSIGN_OR_RETURN(json::object reply, client->Call("methods"));
  const json::array& methods = reply.at("methods").as_array();
  if (invocation.values.Switch("json")) {
    PrintJson(methods);
    return 0;
  }
  if (invocation.values.Switch("markdown")) {
    Print(Markdown(methods, reply.at("not_served").as_array(),
                   reply.at("known").to_number<int64_t>()));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"METHOD", "REST", "PERMISSION"}};
  for (const json::value& item : methods) {
    const json::object& method = item.as_object();
    rows.push_back(
        {Text(method, "method"), FirstRoute(method), AccessOf(method)});
  }
  Print(Table(rows));
  return 0;
}

}  // namespace

Command MethodsCommand() {
  return {.name = "methods",
          .summary =
              "List the API methods that are served, and the permission "
              "that each asks for.",
          .example =
              "  brume methods\n"
              "  brume methods --json",
          .settings = {"json", "markdown", "data", "port"},
          .run = Run};
}

}  // namespace brume::cli
