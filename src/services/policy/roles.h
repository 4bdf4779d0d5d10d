#pragma once

#include <absl/types/span.h>

#include <string_view>

// The predefined roles of the products served here, by name. From the IAM
// roles reference (cloud.google.com/iam/docs/roles-permissions).
namespace brume::services::policy {

struct Role {
  std::string_view name;  // "roles/storage.objectViewer"
  std::string_view title;
};

absl::Span<const Role> Roles();
// nullptr when there is none of that name.
const Role* FindRole(std::string_view name);
// Whether every role "PRODUCT.x" is in the list, by a role's name without
// "roles/". The basic roles have no product and are all known.
bool ProductIsKnown(std::string_view role_id);

}  // namespace brume::services::policy
