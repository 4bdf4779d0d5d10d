#pragma once

#include <absl/status/status.h>

#include <optional>
#include <string>
#include <string_view>

// The words of allow policies: roles, members, permissions.
namespace brume::services::policy {

// INVALID_ARGUMENT in Google's words for what is no role, and for a predefined
// role that a product known here does not have. Roles of other products are
// taken as they are.
absl::Status CheckRole(std::string_view role);

// INVALID_ARGUMENT in Google's words for a member without a known type.
absl::Status CheckMember(std::string_view member, bool public_members);

// The e-mail of "serviceAccount:EMAIL"; nullopt for other members.
std::optional<std::string> ServiceAccountOf(std::string_view member);

// "storage.objects.get": three or more words with dots; no wildcards.
bool IsPermission(std::string_view text);

// How a role is marked whose condition the reader does not understand.
std::string ConditionMark(std::string_view condition);

}  // namespace brume::services::policy
