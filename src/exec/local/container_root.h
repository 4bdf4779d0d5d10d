#pragma once

#include "exec/local/cgroup.h"
#include "exec/local/task_files.h"

#include <absl/status/status.h>

namespace brume::exec {

// Inside the task's own namespaces: stacks the image's layers at root/ with
// overlayfs, writes the files that are laid over them (hosts, resolv.conf,
// hostname, CA bundle) and run/config.json for runc. `cgroups` is what
// there is outside, `cgroup_path` as for OciOptions.
//
// The calling process has one thread and is root in here; its mounts must not
// be seen elsewhere (CLONE_NEWNS). NOT_FOUND and INVALID_ARGUMENT are the
// image's or the task's fault.
absl::Status BuildContainer(const TaskFiles& files, const TaskRecord& record,
                            const LaunchPlan& plan,
                            const CgroupSupport& cgroups,
                            const std::string& cgroup_path);

// Removes all that BuildContainer and the container left in the folder.
absl::Status RemoveContainer(const TaskFiles& files);

}  // namespace brume::exec
