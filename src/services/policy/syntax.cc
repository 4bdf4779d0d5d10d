#include "services/policy/syntax.h"

#include "base/str_cat.h"
#include "services/policy/roles.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace brume::services::policy {
namespace {

bool IsWord(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '-';
         });
}

// Words with dots between, at least `least` of them.
bool IsDotted(std::string_view text, size_t least) {
  size_t words = 0;
  while (true) {
    const size_t dot = text.find('.');
    if (!IsWord(text.substr(0, dot))) return false;
    ++words;
    if (dot == std::string_view::npos) return words >= least;
    text.remove_prefix(dot + 1);
  }
}

std::optional<std::string_view> After(std::string_view text,
                                      std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return std::nullopt;
  return text.substr(prefix.size());
}

bool IsEmail(std::string_view text) {
  const size_t at = text.find('@');
  return at != 0 && at != std::string_view::npos &&
         text.find('@', at + 1) == std::string_view::npos &&
         text.find('.', at) != std::string_view::npos && text.back() != '.' &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) {
           return c <= ' ' || c == ':' || c == '/' || c >= 0x7f;
         });
}

bool IsDomain(std::string_view text) { return IsDotted(text, 2); }

// "projects/P/roles/R" or "organizations/O/roles/R".
bool IsCustomRole(std::string_view role) {
  for (std::string_view parent : {"projects/", "organizations/"}) {
    const auto rest = After(role, parent);
    if (!rest) continue;
    const size_t slash = rest->find('/');
    if (slash == 0 || slash == std::string_view::npos) return false;
    const auto name = After(rest->substr(slash), "/roles/");
    return name && IsDotted(*name, 1);
  }
  return false;
}

}  // namespace

absl::Status CheckRole(std::string_view role) {
  if (role.empty()) {
    return absl::InvalidArgumentError("Role name must be specified.");
  }
  const std::optional<std::string_view> name = After(role, "roles/");
  const bool known = name ? (IsDotted(*name, 1) && (FindRole(role) != nullptr ||
                                                    !ProductIsKnown(*name)))
                          : IsCustomRole(role);
  if (known) return absl::OkStatus();
  return absl::InvalidArgumentError(
      base::StrCat("Role ", role, " is not supported for this resource."));
}

absl::Status CheckMember(std::string_view member, bool public_members) {
  if (member == "allUsers" || member == "allAuthenticatedUsers") {
    if (public_members) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "Members of type allUsers and allAuthenticatedUsers cannot be set on "
        "this resource.");
  }
  for (std::string_view type : {"user:", "serviceAccount:", "group:"}) {
    const auto email = After(member, type);
    if (!email) continue;
    // "PROJECT.svc.id.goog[NAMESPACE/NAME]": a Kubernetes account.
    if (IsEmail(*email) ||
        email->find(".svc.id.goog[") != std::string_view::npos) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(base::StrCat(
        "Invalid member ", member, ": the e-mail address is malformed."));
  }
  if (const auto domain = After(member, "domain:")) {
    if (IsDomain(*domain)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        base::StrCat("Domain name ", *domain, " is invalid."));
  }
  for (std::string_view type :
       {"principal://", "principalSet://",
        "deleted:", "projectOwner:", "projectEditor:", "projectViewer:"}) {
    const auto rest = After(member, type);
    if (rest && !rest->empty()) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      base::StrCat("The member ", member,
                   " is of an unknown type. Please set a valid type prefix for "
                   "the member."));
}

std::optional<std::string> ServiceAccountOf(std::string_view member) {
  const auto email = After(member, "serviceAccount:");
  if (!email || email->find('@') == std::string_view::npos) return std::nullopt;
  return std::string(*email);
}

bool IsPermission(std::string_view text) { return IsDotted(text, 3); }

std::string ConditionMark(std::string_view condition) {
  // FNV-1a, 64 bits: only that it is the same for the same condition counts.
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : condition) hash = (hash ^ c) * 0x100000001b3;
  return base::StrCat(absl::Hex(hash, absl::kZeroPad16)).substr(0, 12);
}

}  // namespace brume::services::policy
