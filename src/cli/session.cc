#include "cli/session.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/files.h"
#include "cli/server_start.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

namespace brume::cli {
namespace {

namespace json = boost::json;

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string());
}

absl::StatusOr<uint16_t> PortIn(const json::object& reply) {
  const json::value* port = reply.if_contains("port");
  if (port == nullptr || !port->is_int64()) {
    return absl::InternalError("ask server: its reply names no port");
  }
  return static_cast<uint16_t>(port->get_int64());
}

// A shell's run is taken up again with the token that was kept.
std::string TokenFile(const std::string& folder, const std::string& label) {
  return base::StrCat(folder, "/", label, ".token");
}

// The listeners of a sealed namespace: their names in the request, their
// descriptors beside it.
struct Sockets {
  json::array names;
  std::vector<int> fds;
};

Sockets SocketsOf(runtime::SealedListeners& listeners) {
  Sockets out;
  const auto add = [&](const char* name, const base::UniqueFd& fd) {
    if (!fd.valid()) return;
    out.names.emplace_back(name);
    out.fds.push_back(fd.get());
  };
  add("https", listeners.https);
  add("http", listeners.http);
  add("metadata", listeners.metadata);
  add("dns_udp", listeners.dns_udp);
  add("dns_tcp", listeners.dns_tcp);
  add("proxy", listeners.proxy);
  return out;
}

Account AccountIn(const json::object& owner) {
  return {Text(owner, "email"), Text(owner, "client_id"),
          Text(owner, "client_secret"), Text(owner, "refresh_token"),
          Text(owner, "project")};
}

// Whether Go and Node, which know no CLOUDSDK_CONFIG, would find the user's
// application default credentials before they ask a metadata server.
bool HasOwnCredentials(const config::Environment& environment) {
  const std::string path =
      environment("HOME").value_or("") +
      "/.config/gcloud/application_default_credentials.json";
  return ::access(path.c_str(), F_OK) == 0;
}

std::string ProxyBefore(const Invocation& invocation) {
  if (invocation.values.Has("upstream-proxy")) {
    return invocation.values.Text("upstream-proxy");
  }
  if (invocation.environment("BRUME_RUN").has_value()) return "";
  for (const std::string_view name : {"HTTPS_PROXY", "https_proxy"}) {
    const auto url = invocation.environment(name);
    if (url.has_value() && !url->empty()) return *url;
  }
  return "";
}

}  // namespace

void CloseSession(Session& session) {
  const json::object request = {{"name", session.run}};
  if (session.server->Call("unregister", request).ok()) return;
  const auto again = app::ControlClient::Connect(session.data);
  if (again.ok()) (*again)->Call("unregister", request).IgnoreError();
}

absl::StatusOr<Session> OpenSession(const Invocation& invocation,
                                    const SessionOptions& options) {
  const config::Values& values = invocation.values;
  ASSIGN_OR_RETURN(const std::string data,
                   config::DataFolder(values, invocation.environment));
  Session session;
  ASSIGN_OR_RETURN(session.server, ConnectOrStart(invocation, data));
  // The user's own part: root may use another user's server.
  const std::string folder = base::StrCat(data, "/clients/", ::geteuid());
  RETURN_IF_ERROR(MakeFolders(folder));

  json::object request = {{"label", options.label},
                          {"lasting", options.lasting},
                          {"offline", values.Switch("offline")},
                          {"pid", static_cast<int64_t>(::getpid())},
                          {"account", values.Text("service-account")},
                          {"project", values.Text("project")}};
  if (options.lasting) {
    request["token"] = ReadWholeFile(TokenFile(folder, options.label));
  }
  Sockets sockets;
  if (options.sealed) {
    ASSIGN_OR_RETURN(const json::object status, session.server->Call("status"));
    ASSIGN_OR_RETURN(const uint16_t port, PortIn(status));
    ASSIGN_OR_RETURN(session.network,
                     runtime::SealedNamespace::Create(
                         {.mapping = runtime::SealedNamespace::DefaultMapping(),
                          .proxy_port = port}));
    sockets = SocketsOf(session.network->listeners());
  }
  request["sockets"] = std::move(sockets.names);
  ASSIGN_OR_RETURN(
      const json::object run,
      session.server->Call("register", std::move(request), sockets.fds));
  if (session.network != nullptr) session.network->listeners() = {};
  ASSIGN_OR_RETURN(const json::object owner, session.server->Call("owner"));
  const Account account = AccountIn(owner);
  session.owner_adc = AdcJson(account);

  session.run = Text(run, "name");
  session.data = data;
  Reach reach = {.run = session.run, .token = Text(run, "token"), .data = data};
  ASSIGN_OR_RETURN(reach.port, PortIn(run));
  if (!options.sealed) {
    reach.metadata = Text(run, "metadata");
    if (reach.metadata.empty()) {
      reach.metadata = base::StrCat("127.0.0.1:", reach.port);
    }
  }
  reach.project = values.Text("project");
  reach.upstream_proxy = ProxyBefore(invocation);
  if (options.lasting) {
    RETURN_IF_ERROR(
        WriteWholeFile(TokenFile(folder, options.label), reach.token));
  }
  ClientFilesOptions files = {.folder = folder,
                              .ca_pem = ReadWholeFile(Text(run, "ca"))};
  const std::string service_account = Text(run, "account");
  if (service_account.empty()) {
    files.account = account;
  } else {
    files.folder = base::StrCat(folder, "/accounts/", service_account);
    if (reach.project.empty()) reach.project = Text(run, "project");
    if (!options.sealed && HasOwnCredentials(invocation.environment)) {
      files.adc_json = ImpersonationJson(account, service_account);
    }
  }
  ASSIGN_OR_RETURN(session.files,
                   WriteClientFiles(files, invocation.environment));
  session.environment = ChangeFor(reach, session.files, OwnVariableNames());
  return session;
}

}  // namespace brume::cli
