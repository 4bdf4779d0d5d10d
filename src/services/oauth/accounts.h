#pragma once

#include "services/signing/rsa.h"

#include <absl/status/statusor.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

// What OAuth must know of service accounts. They belong to another product, so
// it is told by functions given at construction.
namespace brume::services::oauth {

struct ServiceAccount {
  std::string email;
  std::string unique_id;  // 21 digits
  std::string project_id;
  bool disabled = false;
};

struct Accounts {
  // By e-mail or unique id; NOT_FOUND when there is none.
  std::function<absl::StatusOr<ServiceAccount>(std::string_view email_or_id)>
      find;
  // The public keys that are valid now: the one of that id, or all of them when
  // the id is empty.
  std::function<absl::StatusOr<std::vector<signing::RsaPublicKey>>(
      std::string_view email, std::string_view key_id)>
      keys;
};

}  // namespace brume::services::oauth
