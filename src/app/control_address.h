#pragma once

#include "base/unique_fd.h"

#include <absl/status/statusor.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

namespace brume::app {

// The address of FOLDER/control.sock. A path of more than 107 bytes does not
// fit (unix(7)): then it leads through a descriptor of the folder, which this
// object holds.
class ControlAddress {
 public:
  // NOT_FOUND when there is no such folder.
  static absl::StatusOr<ControlAddress> Of(const std::string& folder);

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  socklen_t size() const { return sizeof(address_); }
  std::string path() const { return address_.sun_path; }

 private:
  base::UniqueFd folder_;
  sockaddr_un address_ = {};
};

}  // namespace brume::app
