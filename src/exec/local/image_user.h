#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brume::exec {

// Whom a container's program runs as.
struct ImageUser {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;  // supplementary
  std::string home = "/";
};

// What `user` means ("", "name", "uid", "name:group", "uid:gid", ...) by the
// content of the image's /etc/passwd and /etc/group, as docker decides it: a
// number need not be in passwd (its gid is then 0), a name must be. NOT_FOUND
// "unable to find user <name>: no matching entries in passwd file", Docker's
// own words.
absl::StatusOr<ImageUser> FindImageUser(std::string_view user,
                                        std::string_view passwd,
                                        std::string_view group);

}  // namespace brume::exec
