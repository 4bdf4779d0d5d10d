#include "cli/client_files.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/ca_bundle.h"
#include "cli/files.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unistd.h>

#include <filesystem>

namespace brume::cli {
namespace {

namespace json = boost::json;

// Whether the file holds credentials of the same sign-in, though perhaps of a
// token that was revoked since; another account's are the user's choice.
bool IsOwners(const std::string& path, const Account& account) {
  boost::system::error_code error;
  const json::value old = json::parse(ReadWholeFile(path), error);
  const json::object* object = error ? nullptr : old.if_object();
  const json::value* client =
      object == nullptr ? nullptr : object->if_contains("client_id");
  return client != nullptr && *client == json::value(account.client_id);
}

absl::Status WriteAdc(const std::string& path, const Account& account) {
  const std::string text = AdcJson(account);
  if (!IsOwners(path, account)) return WriteNewFile(path, text);
  // What else gcloud wrote into it (a quota project) stays.
  if (ReadWholeFile(path).find(account.refresh_token) != std::string::npos) {
    return absl::OkStatus();
  }
  return WriteWholeFile(path, text);
}

absl::Status WriteGcloud(const ClientFiles& files,
                         const ClientFilesOptions& options) {
  RETURN_IF_ERROR(MakeFolders(files.gcloud + "/configurations"));
  // The user may change these with gcloud: they are written once.
  std::string properties = "[core]\n";
  if (options.account.has_value()) {
    base::StrAppend(&properties, "account = ", options.account->email, "\n");
    if (!options.account->project.empty()) {
      base::StrAppend(&properties, "project = ", options.account->project,
                      "\n");
    }
  }
  base::StrAppend(&properties, "disable_usage_reporting = true\n",
                  "custom_ca_certs_file = ", files.ca_bundle,
                  "\n\n[component_manager]\ndisable_update_check = true\n\n"
                  "[survey]\ndisable_prompts = true\n");
  RETURN_IF_ERROR(WriteNewFile(files.gcloud + "/configurations/config_default",
                               properties));
  RETURN_IF_ERROR(WriteNewFile(files.gcloud + "/active_config", "default"));
  if (options.account.has_value()) {
    RETURN_IF_ERROR(SignIn(files.gcloud, *options.account));
    return WriteAdc(files.adc, *options.account);
  }
  if (files.adc.empty()) return absl::OkStatus();
  return WriteWholeFile(files.adc, options.adc_json);
}

// docker keeps contexts and plug-ins beside its passwords. The former stay
// within reach; of config.json only what holds no secret is taken over.
absl::Status WriteDocker(const ClientFiles& files,
                         const config::Environment& environment) {
  RETURN_IF_ERROR(MakeFolders(files.docker));
  std::string theirs = environment("DOCKER_CONFIG").value_or("");
  if (theirs.empty()) {
    theirs = environment("HOME").value_or("") + "/.docker";
  }
  json::object config;
  if (theirs != files.docker) {
    boost::system::error_code error;
    const json::value old =
        json::parse(ReadWholeFile(theirs + "/config.json"), error);
    for (const char* name : {"cliPluginsExtraDirs", "currentContext"}) {
      const json::object* object = error ? nullptr : old.if_object();
      const json::value* value =
          object == nullptr ? nullptr : object->if_contains(name);
      if (value != nullptr) config[name] = *value;
    }
    for (const char* name : {"/cli-plugins", "/contexts"}) {
      std::error_code ignored;
      if (std::filesystem::is_directory(theirs + name, ignored)) {
        std::filesystem::create_symlink(theirs + name, files.docker + name,
                                        ignored);
      }
    }
  }
  return WriteNewFile(files.docker + "/config.json",
                      json::serialize(config) + "\n");
}

}  // namespace

absl::StatusOr<ClientFiles> WriteClientFiles(
    const ClientFilesOptions& options, const config::Environment& environment) {
  const std::string& folder = options.folder;
  ClientFiles files;
  files.gcloud = folder + "/gcloud";
  if (options.account.has_value()) {
    files.adc = files.gcloud + "/application_default_credentials.json";
  } else if (!options.adc_json.empty()) {
    files.adc = folder + "/impersonation.json";
  }
  files.boto = folder + "/boto";
  files.docker = folder + "/docker";
  files.netrc = folder + "/netrc";
  files.ca_bundle = folder + "/ca-bundle.pem";
  files.sealed = folder + "/sealed";
  RETURN_IF_ERROR(MakeFolders(folder + "/gsutil"));
  RETURN_IF_ERROR(WriteWholeFile(
      files.ca_bundle,
      MakeCaBundle(environment, files.ca_bundle, options.ca_pem)));
  RETURN_IF_ERROR(WriteGcloud(files, options));
  // gsutil finds the proxy by its variables; the state folder holds tokens that
  // it caches, which would mix with the user's.
  RETURN_IF_ERROR(WriteNewFile(
      files.boto,
      base::StrCat("[Boto]\nca_certificates_file = ", files.ca_bundle,
                   "\n\n[GSUtil]\nstate_dir = ", folder,
                   "/gsutil\nsoftware_update_check_period = 0\n")));
  RETURN_IF_ERROR(WriteNewFile(files.netrc, "# none\n"));
  RETURN_IF_ERROR(WriteDocker(files, environment));
  return files;
}

}  // namespace brume::cli
