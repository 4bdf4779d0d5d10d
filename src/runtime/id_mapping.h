#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

// Id maps of user namespaces (user_namespaces(7)).
namespace brume::runtime {

// A range of /etc/subuid or /etc/subgid (subuid(5)).
struct IdRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

// The largest range that `text` (such a file's content) gives to the user of
// that name or id.
std::optional<IdRange> FindSubordinateRange(std::string_view text,
                                            std::string_view user, uid_t uid);

// The caller's subordinate ranges. FAILED_PRECONDITION, with what to do, when
// there are none or newuidmap is not installed.
struct SubordinateIds {
  IdRange uids;
  IdRange gids;
};
absl::StatusOr<SubordinateIds> OwnSubordinateIds();

// For a process that has just unshared its user namespace and was `uid` and
// `gid` outside: it keeps both.
absl::Status MapSelf(uid_t uid, gid_t gid);

// For the parent of a process that has just unshared its user namespace: the
// caller becomes root in there, its subordinate ids 1 and up.
absl::Status MapSubordinate(pid_t process);

// Moves the calling process, which has one thread, into a new user namespace
// in which it is root and its subordinate ids are 1 and up.
absl::Status EnterMappedUserNamespace();

}  // namespace brume::runtime
