#include "api/admission.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <absl/strings/match.h>

#include <optional>

namespace brume::api {
namespace {

constexpr std::string_view kSee =
    "Expected OAuth 2 access token, login cookie or other valid authentication "
    "credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project.";

// The token of "Authorization: Bearer TOKEN" (RFC 6750, 2.1; the scheme's case
// does not matter). nullopt without such a header; empty when it has another
// scheme, which nobody holds.
std::optional<std::string_view> BearerToken(const Headers& headers) {
  const std::optional<std::string_view> value = headers.Get("authorization");
  if (!value || value->empty()) return std::nullopt;
  const size_t space = value->find(' ');
  if (space == std::string_view::npos) return std::string_view();
  const std::string_view scheme = value->substr(0, space);
  // Old clients (oauth2client, boto) say "OAuth".
  if (!absl::EqualsIgnoreCase(base::ToAbsl(scheme), "bearer") &&
      !absl::EqualsIgnoreCase(base::ToAbsl(scheme), "oauth")) {
    return std::string_view();
  }
  std::string_view token = value->substr(space + 1);
  while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
  while (!token.empty() && token.back() == ' ') token.remove_suffix(1);
  return token;
}

absl::Status MissingCredentials(const Admission::Subject& subject) {
  return services::WithReason(
      absl::UnauthenticatedError(base::ToAbsl(base::StrCat(
          "Request is missing required authentication credential. ", kSee))),
      "CREDENTIALS_MISSING", "googleapis.com",
      {{"method", subject.method}, {"service", subject.service}});
}

absl::Status InvalidCredentials(const Admission::Subject& subject,
                                const absl::Status& why) {
  const bool expired = absl::StrContains(why.message(), "expired");
  return services::WithReason(
      absl::UnauthenticatedError(base::ToAbsl(base::StrCat(
          "Request had invalid authentication credentials. ", kSee))),
      expired ? "ACCESS_TOKEN_EXPIRED" : "ACCESS_TOKEN_TYPE_UNSUPPORTED",
      "googleapis.com",
      {{"method", subject.method}, {"service", subject.service}});
}

absl::Status UnknownProject(std::string_view project,
                            const Admission::Subject& subject) {
  return services::WithReason(
      absl::PermissionDeniedError(base::ToAbsl(base::StrCat(
          "Permission denied on resource project ", project, "."))),
      "CONSUMER_INVALID", "googleapis.com",
      {{"consumer", base::StrCat("projects/", project)},
       {"containerInfo", std::string(project)},
       {"service", subject.service}});
}

}  // namespace

Admission::Admission(Options options) : options_(std::move(options)) {}

void Admission::Record(const Subject& subject, const Origin& origin,
                       const Principal& principal,
                       std::string_view verdict) const {
  // A call without a permission, or without a resource, is one record too.
  static const std::vector<std::string> kNone = {""};
  const auto& permissions =
      subject.permissions.empty() ? kNone : subject.permissions;
  const auto& resources = subject.resources.empty() ? kNone : subject.resources;
  const absl::Time now = options_.clock->Now();
  for (const std::string& permission : permissions) {
    for (const std::string& resource : resources) {
      options_.record({origin.run, principal.Member(), permission, resource,
                       subject.method, std::string(verdict), now});
    }
  }
}

absl::StatusOr<Principal> Admission::Authenticate(
    const Headers& headers, std::string_view host, const Origin& origin,
    const Subject& subject) const {
  const std::optional<std::string_view> token = BearerToken(headers);
  if (!token) {
    if (subject.anonymous_allowed) return Principal();
    Record(subject, origin, Principal(), "unauthenticated");
    return MissingCredentials(subject);
  }
  absl::StatusOr<Principal> principal = options_.authenticate(*token, host);
  // A store that fails is no wrong token.
  if (!absl::IsUnauthenticated(principal.status())) return principal;
  Record(subject, origin, Principal(), "unauthenticated");
  return InvalidCredentials(subject, principal.status());
}

absl::StatusOr<Call> Admission::Admit(const Headers& headers,
                                      std::string_view host,
                                      std::string_view base_url,
                                      const Origin& origin,
                                      const Subject& subject) const {
  Call call;
  call.host = std::string(host);
  call.base_url = std::string(base_url);
  call.origin = origin;
  call.now = options_.clock->Now();
  ASSIGN_OR_RETURN(call.principal,
                   Authenticate(headers, host, origin, subject));

  std::string project = subject.project;
  if (project.empty()) {
    project = std::string(headers.Get("x-goog-user-project").value_or(""));
  }
  if (!project.empty()) {
    absl::StatusOr<ProjectRef> found = options_.find_project(project);
    if (found.ok()) {
      call.project_id = found->id;
      call.project_number = found->number;
      ASSIGN_OR_RETURN(const bool enabled,
                       options_.api_enabled(*found, subject.service));
      // In "record" a disabled API is told, not refused.
      if (!enabled) Record(subject, origin, call.principal, "api-disabled");
    } else if (!absl::IsNotFound(found.status())) {
      return std::move(found).status();
    } else if (!subject.project_may_be_unknown) {
      Record(subject, origin, call.principal, "no-project");
      return UnknownProject(project, subject);
    }
  }
  Record(subject, origin, call.principal, "unevaluated");
  return call;
}

}  // namespace brume::api
