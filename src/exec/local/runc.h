#pragma once

#include "exec/executor.h"
#include "exec/local/task_files.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The command lines of runc 1.1 and what it leaves in the task's folder.
namespace brume::exec {

// `runc run --detach` of run/config.json: it ends when the program runs; the
// program's pid is in run/pid.
std::vector<std::string> RuncRun(const TaskFiles& files, std::string_view id,
                                 bool has_cgroup);
std::vector<std::string> RuncDelete(const TaskFiles& files,
                                    std::string_view id);

// Why `runc run` failed, from its log: a message as Docker would show it, with
// the exit code Docker would give (127: no such program, 126: not executable).
TaskResult ReadRuncFailure(const TaskFiles& files);

// The program's process as runc recorded it before it started; nullopt when
// there is none or the id was given to another process since.
std::optional<pid_t> FindLiveInit(const TaskFiles& files, std::string_view id);

}  // namespace brume::exec
