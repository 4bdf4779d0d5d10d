#include "cli/client_environment.h"

#include "base/str_cat.h"
#include "cli/ca_bundle.h"

#include <algorithm>

extern char** environ;

namespace brume::cli {
namespace {

// Loopback is not ours to proxy. The metadata names are: on a machine in the
// cloud they would lead to its own.
constexpr std::string_view kNoProxy = "127.0.0.1,localhost,::1";
// Who is sealed off has nobody's metadata server but ours.
constexpr std::string_view kMetadataAddress = "169.254.169.254";
constexpr std::string_view kSealedNoProxy =
    "127.0.0.1,localhost,::1,169.254.169.254,metadata.google.internal";

// Both cases: grpc-js and C-core read lower case only, others upper case.
constexpr std::string_view kProxyNames[] = {
    "ALL_PROXY",  "HTTPS_PROXY", "HTTP_PROXY", "all_proxy",
    "grpc_proxy", "http_proxy",  "https_proxy"};

constexpr std::string_view kAdcName = "GOOGLE_APPLICATION_CREDENTIALS";

// With these a client would act as somebody else, or go somewhere else.
constexpr std::string_view kUnsetNames[] = {
    "BOTO_PATH",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "CLOUDSDK_CORE_ACCOUNT",
    "CLOUDSDK_CORE_UNIVERSE_DOMAIN",
    "CLOUDSDK_CREDENTIALS_FILE_OVERRIDE",
    "GCLOUD_KEYFILE_JSON",
    "GOOGLE_API_CERTIFICATE_CONFIG",
    "GOOGLE_API_USE_CLIENT_CERTIFICATE",
    "GOOGLE_API_USE_MTLS_ENDPOINT",
    "GOOGLE_CLOUD_KEYFILE_JSON",
    "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_GHA_CREDS_PATH",
    "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "GS_ACCESS_KEY_ID",
    "GS_SECRET_ACCESS_KEY",
    "METADATA_SERVER_DETECTION",
    "NO_GCE_CHECK",
    "no_grpc_proxy"};
constexpr std::string_view kUnsetPrefixes[] = {
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_", "CLOUDSDK_AUTH_",
    "CLOUDSDK_CONTEXT_AWARE_", "CLOUDSDK_PROXY_"};

bool IsUnset(std::string_view name) {
  return std::find(std::begin(kUnsetNames), std::end(kUnsetNames), name) !=
             std::end(kUnsetNames) ||
         std::any_of(
             std::begin(kUnsetPrefixes), std::end(kUnsetPrefixes),
             [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

EnvironmentChange ChangeFor(const Reach& reach, const ClientFiles& files,
                            const std::vector<std::string>& names) {
  EnvironmentChange out;
  auto& set = out.set;
  const std::string proxy = base::StrCat("http://", reach.run, ":", reach.token,
                                         "@127.0.0.1:", reach.port);
  for (const std::string_view name : kProxyNames) {
    set.emplace(name, proxy);
  }
  const bool sealed = reach.metadata.empty();
  set["NO_PROXY"] = sealed ? kSealedNoProxy : kNoProxy;
  set["no_proxy"] = set["NO_PROXY"];
  // Node 24 and later let fetch use the proxy when this is set.
  set["NODE_USE_ENV_PROXY"] = "1";
  for (const std::string_view name : CaVariables()) {
    set.emplace(name, files.ca_bundle);
  }
  set["BOTO_CONFIG"] = files.boto;
  set["CLOUDSDK_CONFIG"] = files.gcloud;
  set["CLOUDSDK_CORE_DISABLE_USAGE_REPORTING"] = "1";
  set["DOCKER_CONFIG"] = files.docker;
  if (!files.adc.empty()) set[std::string(kAdcName)] = files.adc;
  set["NETRC"] = files.netrc;
  set["REGISTRY_AUTH_FILE"] = files.docker + "/config.json";
  for (const char* name :
       {"GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"}) {
    set[name] = sealed ? kMetadataAddress : std::string_view(reach.metadata);
  }
  if (!reach.project.empty()) {
    for (const char* name :
         {"CLOUDSDK_CORE_PROJECT", "GCLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT"}) {
      set[name] = reach.project;
    }
  }
  set["BRUME_DATA"] = reach.data;
  set["BRUME_RUN"] = reach.run;
  if (!reach.upstream_proxy.empty()) {
    set["BRUME_UPSTREAM_PROXY"] = reach.upstream_proxy;
  }
  for (const std::string& name : names) {
    const bool other = name == kAdcName && files.adc.empty();
    if (other || IsUnset(name)) out.unset.push_back(name);
  }
  std::sort(out.unset.begin(), out.unset.end());
  return out;
}

std::vector<std::string> ChangedNames() {
  const EnvironmentChange change =
      ChangeFor({.project = "p", .upstream_proxy = "h:1"}, {.adc = "a"}, {});
  std::vector<std::string> out;
  for (const auto& [name, value] : change.set) out.push_back(name);
  return out;
}

std::vector<std::string> OwnVariableNames() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    out.emplace_back(text.substr(0, text.find('=')));
  }
  return out;
}

}  // namespace brume::cli
