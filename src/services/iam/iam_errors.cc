#include "services/iam/iam_errors.h"

#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/iam/names.h"

#include <google/rpc/error_details.pb.h>

namespace brume::services::iam {

absl::Status UnknownAccount() {
  return absl::NotFoundError("Unknown service account");
}

absl::Status AccountExists(std::string_view id, std::string_view project) {
  google::rpc::ResourceInfo resource;
  resource.set_resource_name(
      AccountResource(project, AccountEmail(id, project)));
  return WithDetail(
      absl::AlreadyExistsError(base::StrCat("Service account ", id,
                                            " already exists within project "
                                            "projects/",
                                            project, ".")),
      resource);
}

absl::Status UnknownKey(std::string_view name) {
  return absl::NotFoundError(
      base::StrCat("Service account key ", name, " does not exist."));
}

absl::Status NoGaiaId(std::string_view account) {
  return absl::NotFoundError(
      base::StrCat("Not found; Gaia id not found for email ", account));
}

}  // namespace brume::services::iam
