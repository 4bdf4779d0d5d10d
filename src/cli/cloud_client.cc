#include "cli/cloud_client.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/files.h"
#include "client/url.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>

#include <utility>

namespace brume::cli {
namespace {

// "project" of gcloud's active configuration.
std::string ConfiguredProject(const std::string& folder) {
  std::string active = ReadWholeFile(folder + "/active_config");
  absl::StripAsciiWhitespace(&active);
  if (active.empty()) active = "default";
  const std::string text =
      ReadWholeFile(folder + "/configurations/config_" + active);
  std::string section;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && line[0] == '[') section = std::string(line);
    const size_t equals = line.find('=');
    if (section != "[core]" || equals == line.npos) continue;
    if (absl::StripAsciiWhitespace(line.substr(0, equals)) != "project") {
      continue;
    }
    return std::string(absl::StripAsciiWhitespace(line.substr(equals + 1)));
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<CloudSession>> CloudSession::Open(
    const Invocation& invocation, const std::string& label) {
  auto out = std::unique_ptr<CloudSession>(new CloudSession());
  ASSIGN_OR_RETURN(out->session_, OpenSession(invocation, {.label = label}));
  const Session& session = out->session_;
  out->project_ = invocation.values.Text("project");
  if (out->project_.empty()) {
    out->project_ = ConfiguredProject(session.files.gcloud);
  }
  client::Transport::Options options;
  ASSIGN_OR_RETURN(options.proxy,
                   client::ParseUrl(session.environment.set.at("HTTPS_PROXY")));
  options.ca_file = session.files.ca_bundle;
  ASSIGN_OR_RETURN(out->transport_,
                   client::Transport::Create(std::move(options)));
  out->adc_ = session.owner_adc;
  return out;
}

absl::StatusOr<std::unique_ptr<CloudSession::Client>> CloudSession::NewClient()
    const {
  auto out = std::unique_ptr<Client>(new Client());
  out->http_ = std::make_unique<client::HttpClient>(transport_.get());
  ASSIGN_OR_RETURN(
      out->credentials_,
      client::CredentialsFromJson(adc_, out->http_.get(), &out->clock_));
  out->api_ = std::make_unique<client::GoogleApi>(client::GoogleApi::Options{
      .http = out->http_.get(),
      .credentials = out->credentials_.get(),
      .sleep = [](absl::Duration time) { absl::SleepFor(time); }});
  // In clear text: the way to a local server is loopback, and it can send
  // files without copying them.
  out->storage_ =
      std::make_unique<client::StorageClient>(client::StorageClient::Options{
          .api = out->api_.get(), .base_url = "http://storage.googleapis.com"});
  return out;
}

}  // namespace brume::cli
