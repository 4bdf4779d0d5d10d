#pragma once

#include "base/clock.h"
#include "cli/command.h"
#include "cli/session.h"
#include "client/credentials.h"
#include "client/google_api.h"
#include "client/http_client.h"
#include "client/storage_client.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace brume::cli {

// What a command of ours needs to use the local cloud through its public API,
// as any program inside `brume run` does: a run, its proxy, roots, the owner's
// credentials.
class CloudSession {
 public:
  // `label` names the run in the record.
  static absl::StatusOr<std::unique_ptr<CloudSession>> Open(
      const Invocation& invocation, const std::string& label);

  // --project, what the gcloud configuration inside says, or the default one.
  const std::string& project() const { return project_; }

  // One thread's client; may be made by any thread, and outlives nothing of
  // this session.
  class Client {
   public:
    client::GoogleApi& api() { return *api_; }
    client::StorageClient& storage() { return *storage_; }

   private:
    friend class CloudSession;
    base::SystemClock clock_;
    std::unique_ptr<client::HttpClient> http_;
    std::unique_ptr<client::Credentials> credentials_;
    std::unique_ptr<client::GoogleApi> api_;
    std::unique_ptr<client::StorageClient> storage_;
  };
  absl::StatusOr<std::unique_ptr<Client>> NewClient() const;

 private:
  CloudSession() = default;

  Session session_;
  std::string project_;
  std::unique_ptr<client::Transport> transport_;
  std::string adc_;
};

}  // namespace brume::cli
