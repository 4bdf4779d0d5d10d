#include "app/control_desk.h"

#include "api/wire.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "front/server.h"

#include <boost/json/array.hpp>

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
  std::vector<std::string> ended;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = held_.find(connection);
    if (found == held_.end()) return;
    ended = std::move(found->second);
    held_.erase(found);
  }
  for (const std::string& name : ended) {
    const absl::Status status = options_.runs->Unregister(name);
    if (!status.ok()) {
      base::Log(base::LogLevel::kWarn, "control", "run not forgotten",
                {{"run", name}, {"cause", status.message()}});
    }
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
  run.account = Text(fields, "account");
  run.project = Text(fields, "project");
  run.token = Text(fields, "token");
  const std::vector<std::string> sockets = Names(fields, "sockets");
  if (sockets.size() != request.fds.size()) {
    return absl::InvalidArgumentError(base::StrCat(
        "register run: ", request.fds.size(), " descriptors came along, ",
        sockets.size(), " are named"));
  }
  ASSIGN_OR_RETURN(const services::runs::RunRegistry::Registered registered,
                   options_.runs->Register(run));
  if (!run.lasting) {
    absl::MutexLock lock(&mutex_);
    held_[request.connection].push_back(registered.name);
  }
  json::object out = options_.about;
  out["name"] = registered.name;
  out["token"] = registered.token;
  return out;
}

ControlServer::Reply ControlDesk::Unregister(
    const ControlServer::Request& request) {
  RETURN_IF_ERROR(options_.runs->Unregister(Text(request.fields, "name")));
  return json::object();
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
