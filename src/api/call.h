#pragma once

#include "api/wire.h"

#include <absl/time/time.h>

#include <string>

namespace brume::api {

// Who calls, after authentication.
struct Principal {
  enum class Kind { kAnonymous, kUser, kServiceAccount };
  Kind kind = Kind::kAnonymous;
  std::string email;
  // E-mail of the principal that impersonates `email`; empty when none does.
  std::string impersonator;
  // IAM member form: "user:E", "serviceAccount:E" or "allUsers".
  std::string Member() const;
};

// What a handler may know of the call it serves. Lives as long as the call.
struct Call {
  Principal principal;
  // The consumer: the project whose API enablement and quota count. Resolved
  // from the resource, x-goog-user-project or the caller's own project.
  std::string project_id;      // empty when the method has none
  std::string project_number;  // decimal
  std::string host;            // served name the client asked
  std::string base_url;        // as in RequestHead
  Origin origin;
  absl::Time now;
};

}  // namespace brume::api
