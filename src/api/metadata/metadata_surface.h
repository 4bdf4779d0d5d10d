#pragma once

#include "api/http_surface.h"
#include "api/metadata/token_cache.h"
#include "api/wire.h"
#include "base/clock.h"

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brume::api::metadata {

// What the surface stands on.
struct Services {
  // The project of id or number; NOT_FOUND.
  std::function<absl::StatusOr<ProjectRef>(std::string_view project)>
      find_project;
  // The id of the project in which a service account lives; NOT_FOUND when
  // there is no such account.
  std::function<absl::StatusOr<std::string>(std::string_view email)>
      project_of_account;
  // An access token of the account.
  std::function<absl::StatusOr<Token>(std::string_view email,
                                      const std::vector<std::string>& scopes)>
      mint;
  // An identity token of the account; with its e-mail if `full`.
  std::function<absl::StatusOr<std::string>(
      std::string_view email, std::string_view audience, bool full)>
      identity;
  const base::Clock* clock = nullptr;
  // "us-central1-a": where the machine says it is.
  std::string zone = "us-central1-a";
};

// Compute Engine's metadata server (cloud.google.com/compute/docs/metadata) for
// one service account: that of a job, or of `brume run --service-account`,
// which the request's origin names. Where none is named everything is 404 and
// nobody takes the place for Compute Engine. Thread-safe.
class MetadataSurface final : public HttpSurface {
 public:
  explicit MetadataSurface(Services services);

  bool Owns(const RequestHead& head) const override;
  Begun Begin(RequestHead head) override;

 private:
  const std::shared_ptr<const Services> services_;
  const std::shared_ptr<TokenCache> tokens_;
};

}  // namespace brume::api::metadata
