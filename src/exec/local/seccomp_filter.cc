#include "exec/local/seccomp_filter.h"

#include <boost/json.hpp>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace brume::exec {
namespace {

namespace json = boost::json;

constexpr const char* kRefused[] = {"acct",
                                    "add_key",
                                    "adjtimex",
                                    "bpf",
                                    "clock_adjtime",
                                    "clock_settime",
                                    "create_module",
                                    "delete_module",
                                    "fanotify_init",
                                    "finit_module",
                                    "fsconfig",
                                    "fsmount",
                                    "fsopen",
                                    "fspick",
                                    "get_kernel_syms",
                                    "init_module",
                                    "io_uring_enter",
                                    "io_uring_register",
                                    "io_uring_setup",
                                    "ioperm",
                                    "iopl",
                                    "kcmp",
                                    "kexec_file_load",
                                    "kexec_load",
                                    "keyctl",
                                    "lookup_dcookie",
                                    "mount",
                                    "mount_setattr",
                                    "move_mount",
                                    "name_to_handle_at",
                                    "nfsservctl",
                                    "open_by_handle_at",
                                    "open_tree",
                                    "perf_event_open",
                                    "pivot_root",
                                    "process_madvise",
                                    "query_module",
                                    "quotactl",
                                    "quotactl_fd",
                                    "reboot",
                                    "request_key",
                                    "setdomainname",
                                    "sethostname",
                                    "setns",
                                    "settimeofday",
                                    "stime",
                                    "swapoff",
                                    "swapon",
                                    "sysfs",
                                    "syslog",
                                    "umount",
                                    "umount2",
                                    "unshare",
                                    "uselib",
                                    "userfaultfd",
                                    "ustat",
                                    "vhangup",
                                    "vm86",
                                    "vm86old"};

json::object Rule(json::array names, int error, json::array arguments = {}) {
  json::object rule = {{"names", std::move(names)},
                       {"action", "SCMP_ACT_ERRNO"},
                       {"errnoRet", error}};
  if (!arguments.empty()) rule["args"] = std::move(arguments);
  return rule;
}

json::object Argument(int index, const char* op, uint64_t value,
                      uint64_t second = 0) {
  json::object argument = {{"index", index}, {"value", value}, {"op", op}};
  if (second != 0) argument["valueTwo"] = second;
  return argument;
}

}  // namespace

json::object SeccompFilter() {
  json::array rules;
  json::array refused;
  for (const char* name : kRefused) refused.emplace_back(name);
  rules.push_back(Rule(std::move(refused), EPERM));
  // A new namespace by clone(2); its flags are the first argument on x86-64 and
  // arm64.
  for (const uint64_t flag :
       {uint64_t{CLONE_NEWNS}, uint64_t{CLONE_NEWCGROUP},
        uint64_t{CLONE_NEWUTS}, uint64_t{CLONE_NEWIPC}, uint64_t{CLONE_NEWUSER},
        uint64_t{CLONE_NEWPID}, uint64_t{CLONE_NEWNET}}) {
    rules.push_back(Rule({"clone"}, EPERM,
                         {Argument(0, "SCMP_CMP_MASKED_EQ", flag, flag)}));
  }
  // clone3's flags lie in memory, where a filter cannot look: C libraries take
  // ENOSYS as "use clone".
  rules.push_back(Rule({"clone3"}, ENOSYS));
  rules.push_back(
      Rule({"socket"}, EPERM, {Argument(0, "SCMP_CMP_EQ", AF_VSOCK)}));
  rules.push_back(
      Rule({"socket"}, EPERM, {Argument(0, "SCMP_CMP_EQ", AF_ALG)}));
  return {{"defaultAction", "SCMP_ACT_ALLOW"},
#if defined(__aarch64__)
          {"architectures", {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}},
#else
          {"architectures",
           {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}},
#endif
          {"syscalls", std::move(rules)}};
}

}  // namespace brume::exec
