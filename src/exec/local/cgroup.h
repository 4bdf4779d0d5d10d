#pragma once

#include <cstdint>
#include <string>

// Control groups, where this process may make some: as root with a writable
// hierarchy, of version 1 (also beside version 2, "hybrid") or 2. runc makes
// and removes the groups; this tells what it can be asked for.
namespace brume::exec {

struct CgroupSupport {
  bool is_v2 = false;
  // runc must not insist on a cgroup when nothing is writable.
  bool writable = false;
  bool cpu = false;
  bool memory = false;
};

CgroupSupport DetectCgroups();

// How often the kernel killed for want of memory in group `path`
// ("/brume/x"); 0 when it cannot be told.
uint64_t CountOomKills(const CgroupSupport& support, const std::string& path);

}  // namespace brume::exec
