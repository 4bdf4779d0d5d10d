#include "base/errno_status.h"

#include "base/str_cat.h"

#include <cerrno>
#include <system_error>

namespace brume::base {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status ErrnoToStatus(int error, std::string_view action) {
  return absl::Status(
      CodeOf(error),
      StrCat(action, ": ", std::generic_category().message(error)));
}

}  // namespace brume::base
