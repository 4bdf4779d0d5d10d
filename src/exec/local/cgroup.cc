#include "exec/local/cgroup.h"

#include "base/str_cat.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace brume::exec {
namespace {

constexpr const char* kMount = "/sys/fs/cgroup";

bool IsWritable(const std::string& path) {
  return access(path.c_str(), W_OK) == 0;
}

}  // namespace

CgroupSupport DetectCgroups() {
  CgroupSupport out;
  // A group of one's own can be had without root too (systemd delegates them),
  // but not in a way that is the same everywhere.
  if (geteuid() != 0) return out;
  std::ifstream controllers(base::StrCat(kMount, "/cgroup.controllers"));
  if (controllers.is_open()) {
    out.is_v2 = true;
    out.writable = IsWritable(kMount);
    std::string name;
    while (controllers >> name) {
      out.cpu |= name == "cpu";
      out.memory |= name == "memory";
    }
    out.cpu &= out.writable;
    out.memory &= out.writable;
    return out;
  }
  out.cpu = IsWritable(base::StrCat(kMount, "/cpu"));
  out.memory = IsWritable(base::StrCat(kMount, "/memory"));
  out.writable = out.cpu && out.memory;
  return out;
}

uint64_t CountOomKills(const CgroupSupport& support, const std::string& path) {
  // cgroup-v2.rst "memory.events"; cgroup-v1/memory.rst "memory.oom_control".
  std::ifstream file(
      support.is_v2
          ? base::StrCat(kMount, path, "/memory.events")
          : base::StrCat(kMount, "/memory", path, "/memory.oom_control"));
  std::string key;
  uint64_t value = 0;
  while (file >> key >> value) {
    if (key == "oom_kill") return value;
  }
  return 0;
}

}  // namespace brume::exec
