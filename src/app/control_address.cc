#include "app/control_address.h"

#include "base/errno_status.h"
#include "base/str_cat.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace brume::app {

absl::StatusOr<ControlAddress> ControlAddress::Of(const std::string& folder) {
  ControlAddress out;
  out.address_.sun_family = AF_UNIX;
  std::string path = folder + "/control.sock";
  if (path.size() >= sizeof(out.address_.sun_path)) {
    out.folder_.Reset(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!out.folder_.valid()) {
      return base::ErrnoToStatus(errno,
                                 base::StrCat("open folder '", folder, "'"));
    }
    path = base::StrCat("/proc/self/fd/", out.folder_.get(), "/control.sock");
  }
  path.copy(out.address_.sun_path, sizeof(out.address_.sun_path) - 1);
  return out;
}

}  // namespace brume::app
