#pragma once

#include "exec/local/cgroup.h"
#include "exec/local/image_user.h"
#include "exec/local/task_files.h"

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What runc is told: config.json of the OCI runtime specification, 1.0.2.
namespace brume::exec {

// Docker's rules: the entry point, then the command. INVALID_ARGUMENT "No
// command specified" (Docker's words) when both are empty.
absl::StatusOr<std::vector<std::string>> CommandLine(
    const store::image::ImageConfig& image, const TaskSpec& spec);

// The program's environment: PATH and HOME where the image sets none, the
// image's variables, the task's, and, where neither sets them, those by which
// common libraries find `ca_bundle` (empty: none are set).
std::map<std::string, std::string> Environment(
    const store::image::ImageConfig& image, const TaskSpec& spec,
    const ImageUser& user, const std::string& ca_bundle);

struct OciOptions {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  ImageUser user;
  std::string working_dir = "/";
  std::string hostname;
  std::string root;  // absolute
  // Files laid over the image's, read-only: (ours, path inside).
  std::vector<std::pair<std::string, std::string>> files;
  std::string cgroup_path;  // "/brume/..."; empty: none
  CgroupSupport cgroups;
  std::optional<double> cpus;
  std::optional<uint64_t> memory;
};

// The program gets namespaces of its own but for the network, which is the
// caller's; a part of Docker's default capabilities, a seccomp filter, no new
// privileges, no rlimits (CAP_SYS_RESOURCE may be missing), /gcs reserved as
// an empty folder that cannot be written.
std::string WriteOciConfig(const OciOptions& options);

}  // namespace brume::exec
