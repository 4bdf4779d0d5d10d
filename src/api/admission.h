#pragma once

#include "api/call.h"
#include "base/clock.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The chain every call passes, on either transport and on hand-written
// surfaces: authenticate, resolve the project, is the API on, may the caller,
// is there quota; afterwards the record. Thread-safe.
namespace brume::api {

struct ProjectRef {
  std::string id;
  std::string number;
};

class Admission {
 public:
  // One decision, for the record of what a rehearsal used.
  struct Decision {
    std::string run;
    std::string principal;  // member form
    std::string permission;
    std::string resource;
    std::string method;
    std::string verdict;  // "unevaluated", "unauthenticated", ...
    absl::Time time;
  };

  struct Options {
    // Who holds this bearer token, asked at `host`; UNAUTHENTICATED if nobody.
    std::function<absl::StatusOr<Principal>(std::string_view token,
                                            std::string_view host)>
        authenticate;
    // By id or number; NOT_FOUND when there is none (or it is deleted).
    std::function<absl::StatusOr<ProjectRef>(std::string_view id_or_number)>
        find_project;
    // Whether "storage.googleapis.com" is enabled in the project.
    std::function<absl::StatusOr<bool>(const ProjectRef&,
                                       std::string_view service)>
        api_enabled;
    std::function<void(const Decision&)> record;
    // "record", "enforce" or "off".
    std::string mode = "record";
    const base::Clock* clock = nullptr;
  };

  // What a call is about, before it is admitted.
  struct Subject {
    std::string method;   // "storage.objects.get" or a full RPC name
    std::string service;  // "storage.googleapis.com"
    std::vector<std::string> permissions;
    // "projects/_/buckets/b/objects/o": for the record.
    std::vector<std::string> resources;
    std::string project;  // id or number named by the request; empty if none
    // The service tells of an unknown project in its own words (Resource
    // Manager, whose resources projects are): Call::project_id stays empty.
    bool project_may_be_unknown = false;
    // No token is allUsers instead of UNAUTHENTICATED (Storage's bucket and
    // object methods). A wrong or expired token is refused all the same.
    bool anonymous_allowed = false;
  };

  explicit Admission(Options options);

  // Who calls. As the first step of Admit, and before a body is read.
  absl::StatusOr<Principal> Authenticate(const Headers& headers,
                                         std::string_view host,
                                         const Origin& origin,
                                         const Subject& subject) const;

  // UNAUTHENTICATED (with Google's text and ErrorInfo), PERMISSION_DENIED for
  // an unknown project, or what the mode refuses. Decisions are recorded. The
  // token is the "Authorization: Bearer" header's.
  absl::StatusOr<Call> Admit(const Headers& headers, std::string_view host,
                             std::string_view base_url, const Origin& origin,
                             const Subject& subject) const;

 private:
  void Record(const Subject& subject, const Origin& origin,
              const Principal& principal, std::string_view verdict) const;

  Options options_;
};

}  // namespace brume::api
