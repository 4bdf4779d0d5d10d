#pragma once

#include "base/clock.h"
#include "client/http_client.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace brume::client {

// Somebody's access tokens for the scope cloud-platform, each asked for when
// the one before has less than five minutes left. Not thread-safe.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // UNAUTHENTICATED when the token service refuses, with its words.
  absl::StatusOr<std::string> Token();
  // The project that the file names; may be empty.
  const std::string& project() const { return project_; }
  // Drops the token that a service has refused.
  void Forget() { token_.clear(); }

 protected:
  explicit Credentials(const base::Clock* clock) : clock_(clock) {}

  struct Fresh {
    std::string token;
    absl::Duration lifetime;
  };
  virtual absl::StatusOr<Fresh> Fetch() = 0;
  absl::Time Now() const { return clock_->Now(); }

  std::string project_;

 private:
  const base::Clock* const clock_;
  std::string token_;
  absl::Time expires_;
};

// Of a file's content, as gcloud and the console write it: a user's
// (authorized_user), a key (service_account), or somebody else's account
// (impersonated_service_account). INVALID_ARGUMENT, naming the field, when it
// is none of these. `http` and `clock` outlive it.
absl::StatusOr<std::unique_ptr<Credentials>> CredentialsFromJson(
    std::string_view text, HttpClient* http, const base::Clock* clock);

using Environment =
    std::function<std::optional<std::string>(std::string_view name)>;

// Application default credentials (google.aip.dev/auth/4110): the file of
// GOOGLE_APPLICATION_CREDENTIALS, gcloud's, or the metadata server's account.
absl::StatusOr<std::unique_ptr<Credentials>> DefaultCredentials(
    const Environment& environment, HttpClient* http, const base::Clock* clock);

// A JWT over `claims` (JSON), signed with RS256 by a PEM key.
absl::StatusOr<std::string> SignJwt(std::string_view key_id,
                                    std::string_view claims,
                                    std::string_view private_key_pem);

}  // namespace brume::client
