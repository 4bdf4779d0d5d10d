#include "app/control_desk.h"

#include "api/route_rows.h"
#include "api/wire.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace brume::app {
namespace {

namespace json = boost::json;

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string());
}

bool Flag(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_bool() && value->get_bool();
}

int64_t Number(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::vector<std::string> Names(const json::object& object,
                               std::string_view name) {
  std::vector<std::string> out;
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_array()) return out;
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) out.emplace_back(item.get_string());
  }
  return out;
}

json::object Describe(const brume::runs::Run& run) {
  const absl::Time started = absl::FromUnixSeconds(run.started().seconds());
  json::object out = {
      {"name", run.name()},
      {"offline", run.offline()},
      {"lasting", run.lasting()},
      {"pid", run.pid()},
      {"started", base::FormatTime(started, base::Fraction::kNone)}};
  if (!run.account().empty()) out["account"] = run.account();
  if (!run.project().empty()) out["project"] = run.project();
  return out;
}

}  // namespace

ControlServer::Reply ControlDesk::Handle(ControlServer::Request request) {
  if (request.op == "status") return Status();
  if (request.op == "register") return Register(std::move(request));
  if (request.op == "unregister") return Unregister(request);
  if (request.op == "owner") return options_.owner();
  if (request.op == "usage") return Usage(request);
  if (request.op == "methods") return Methods();
  if (ImageDesk::Knows(request.op)) {
    return options_.images->Handle(std::move(request));
  }
  if (request.op == "stop") {
    options_.stop();
    return json::object();
  }
  return absl::UnimplementedError(
      base::StrCat("control request '", request.op,
                   "': this server does not know it; is it of the same version "
                   "as this program?"));
}

void ControlDesk::Closed(uint64_t connection) {
  std::vector<Held> ended;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = held_.find(connection);
    if (found == held_.end()) return;
    ended = std::move(found->second);
    held_.erase(found);
  }
  for (const Held& held : ended) End(held);
}

void ControlDesk::End(const Held& held) {
  for (const front::Server::ListenerId id : held.listeners) {
    options_.server->Close(id);
  }
  const absl::Status status = options_.runs->Unregister(held.run);
  if (!status.ok()) {
    base::Log(base::LogLevel::kWarn, "control", "run not forgotten",
              {{"run", held.run}, {"cause", status.message()}});
  }
}

ControlServer::Reply ControlDesk::Status() {
  json::object out = options_.about;
  json::array runs;
  for (const brume::runs::Run& run : options_.runs->List()) {
    runs.push_back(Describe(run));
  }
  out["runs"] = std::move(runs);
  return out;
}

ControlServer::Reply ControlDesk::Register(ControlServer::Request request) {
  const json::object& fields = request.fields;
  services::runs::RunRegistry::NewRun run;
  run.label = Text(fields, "label");
  run.offline = Flag(fields, "offline");
  run.lasting = Flag(fields, "lasting");
  run.pid = Number(fields, "pid");
  run.project = Text(fields, "project");
  run.token = Text(fields, "token");
  const std::vector<std::string> sockets = Names(fields, "sockets");
  if (sockets.size() != request.fds.size()) {
    return absl::InvalidArgumentError(base::StrCat(
        "register run: ", request.fds.size(), " descriptors came along, ",
        sockets.size(), " are named"));
  }
  const std::string account = Text(fields, "account");
  if (run.lasting && (!account.empty() || !sockets.empty())) {
    return absl::InvalidArgumentError(
        "register run: only a command's has an account or sockets of its own");
  }
  if (!account.empty()) {
    ASSIGN_OR_RETURN(const Options::Account found,
                     options_.find_account(account, run.project));
    run.account = found.email;
    run.project = found.project;
  }
  ASSIGN_OR_RETURN(const services::runs::RunRegistry::Registered registered,
                   options_.runs->Register(run));
  json::object out = options_.about;
  out["name"] = registered.name;
  out["token"] = registered.token;
  if (run.lasting) return out;

  Held held = {.run = registered.name, .listeners = {}};
  absl::Status status;
  absl::StatusOr<brume::runs::Run> record =
      options_.runs->Find(registered.name);
  status = record.status();
  if (status.ok()) {
    status = Listen(*record, sockets, std::move(request.fds), held);
  }
  if (!account.empty()) {
    out["account"] = run.account;
    out["project"] = run.project;
  }
  // A sealed command has the real address, inside.
  const bool has_address =
      std::find(sockets.begin(), sockets.end(), "metadata") != sockets.end();
  if (status.ok() && !account.empty() && !has_address) {
    const absl::StatusOr<std::string> address =
        ListenForMetadata(*record, held);
    status = address.status();
    if (status.ok()) out["metadata"] = *address;
  }
  if (!status.ok()) {
    End(held);
    return status;
  }
  absl::MutexLock lock(&mutex_);
  held_[request.connection].push_back(std::move(held));
  return out;
}

absl::Status ControlDesk::Listen(const brume::runs::Run& run,
                                 const std::vector<std::string>& names,
                                 std::vector<base::UniqueFd> fds, Held& held) {
  using Via = api::Origin::Via;
  base::UniqueFd dns_udp;
  base::UniqueFd dns_tcp;
  for (size_t i = 0; i < names.size(); ++i) {
    api::Origin origin = {.run = run.name()};
    if (names[i] == "dns_udp") {
      dns_udp = std::move(fds[i]);
      continue;
    }
    if (names[i] == "dns_tcp") {
      dns_tcp = std::move(fds[i]);
      continue;
    }
    if (names[i] == "https" || names[i] == "http") {
      origin.via = Via::kSealed;
    } else if (names[i] == "metadata") {
      origin.via = Via::kMetadata;
      origin.account = run.account();
      origin.project = run.project();
    } else if (names[i] == "proxy") {
      origin.via = Via::kDirect;
    } else {
      return absl::InvalidArgumentError(base::StrCat(
          "register run: nothing is known of a socket '", names[i], "'"));
    }
    ASSIGN_OR_RETURN(
        const front::Server::ListenerId id,
        options_.server->Listen(std::move(fds[i]), origin, run.offline()));
    held.listeners.push_back(id);
  }
  if (!dns_udp.valid() && !dns_tcp.valid()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const front::Server::ListenerId id,
      options_.server->ListenDns(std::move(dns_udp), std::move(dns_tcp)));
  held.listeners.push_back(id);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ControlDesk::ListenForMetadata(
    const brume::runs::Run& run, Held& held) {
  ASSIGN_OR_RETURN(base::UniqueFd socket, front::ListenLoopback(0));
  ASSIGN_OR_RETURN(const uint16_t port, front::PortOf(socket));
  ASSIGN_OR_RETURN(const front::Server::ListenerId id,
                   options_.server->Listen(std::move(socket),
                                           {.via = api::Origin::Via::kMetadata,
                                            .run = run.name(),
                                            .account = run.account(),
                                            .project = run.project()},
                                           true));
  held.listeners.push_back(id);
  return base::StrCat("127.0.0.1:", port);
}

ControlServer::Reply ControlDesk::Unregister(
    const ControlServer::Request& request) {
  RETURN_IF_ERROR(options_.runs->Unregister(Text(request.fields, "name")));
  return json::object();
}

ControlServer::Reply ControlDesk::Methods() const {
  std::map<std::string_view, json::array> routes;
  for (size_t i = 0; i < api::kRouteRowCount; ++i) {
    const api::RouteRow& row = api::kRouteRows[i];
    routes[row.method].push_back(
        json::object{{"host", std::string(row.service_host)},
                     {"verb", std::string(row.verb)},
                     {"path", std::string(row.path)}});
  }
  json::array methods;
  for (const api::Method* method : options_.table->rows()) {
    const auto found = routes.find(method->name);
    const api::KnownMethod* known = api::FindKnownMethod(method->name);
    methods.push_back(json::object{
        {"method", method->name},
        {"host", known == nullptr ? "" : std::string(known->service_host)},
        {"permissions", json::array(method->access.permissions().begin(),
                                    method->access.permissions().end())},
        {"reason", method->access.reason()},
        {"routes", found == routes.end() ? json::array() : found->second}});
  }
  json::array others;
  for (size_t i = 0; i < api::kKnownMethodCount; ++i) {
    const std::string_view name = api::kKnownMethods[i].name;
    if (options_.table->Find(name) == nullptr) {
      others.emplace_back(std::string(name));
    }
  }
  return json::object{{"methods", std::move(methods)},
                      {"not_served", std::move(others)},
                      {"known", api::kKnownMethodCount}};
}

ControlServer::Reply ControlDesk::Usage(const ControlServer::Request& request) {
  ASSIGN_OR_RETURN(const std::vector<services::usage::Usage> usage,
                   options_.usage->List(Text(request.fields, "run")));
  json::array rows;
  for (const services::usage::Usage& row : usage) {
    rows.push_back(json::object{
        {"run", row.decision.run},
        {"principal", row.decision.principal},
        {"permission", row.decision.permission},
        {"resource", row.decision.resource},
        {"method", row.decision.method},
        {"verdict", row.decision.verdict},
        {"count", row.count},
        {"first", base::FormatTime(row.first, base::Fraction::kMillis)},
        {"last", base::FormatTime(row.last, base::Fraction::kMillis)}});
  }
  return json::object{{"usage", std::move(rows)}};
}

}  // namespace brume::app
