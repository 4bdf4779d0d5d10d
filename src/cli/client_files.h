#pragma once

#include "cli/gcloud_credentials.h"
#include "config/values.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

namespace brume::cli {

// The configuration that Google's clients find inside Brume in place of the
// user's own. It is kept in the data folder, so that what one command sets
// (gcloud config set project, gcloud auth activate-service-account) is there
// for the next. No file holds the name or the token of a run.
struct ClientFiles {
  std::string gcloud;  // CLOUDSDK_CONFIG
  // GOOGLE_APPLICATION_CREDENTIALS; empty when the metadata server's account
  // is to be found.
  std::string adc;
  std::string boto;       // BOTO_CONFIG
  std::string docker;     // DOCKER_CONFIG, a folder
  std::string netrc;      // NETRC
  std::string ca_bundle;  // see ca_bundle.h
  std::string sealed;  // a folder for what lies over /etc in a sealed command
};

struct ClientFilesOptions {
  std::string folder;  // made if missing
  std::string ca_pem;
  // Who is signed in; nobody when a metadata server speaks for the command.
  std::optional<Account> account;
  // Application default credentials when nobody is signed in, for clients that
  // would take the user's own before they ask a metadata server; may be empty.
  std::string adc_json;
};

absl::StatusOr<ClientFiles> WriteClientFiles(
    const ClientFilesOptions& options, const config::Environment& environment);

}  // namespace brume::cli
