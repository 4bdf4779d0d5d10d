#include "exec/local/oci_config.h"

#include "base/str_cat.h"
#include "exec/local/seccomp_filter.h"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace brume::exec {
namespace {

namespace json = boost::json;

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// How libraries are told of a CA bundle: OpenSSL and Go; requests and pip;
// curl; gRPC's C core; Node.
constexpr const char* kBundleVariables[] = {
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "NODE_EXTRA_CA_CERTS"};

// Docker's default set without MKNOD, NET_RAW and AUDIT_WRITE.
constexpr const char* kCapabilities[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FSETID",          "CAP_FOWNER",
    "CAP_SETGID", "CAP_SETUID",       "CAP_SETFCAP",         "CAP_SETPCAP",
    "CAP_KILL",   "CAP_SYS_CHROOT",   "CAP_NET_BIND_SERVICE"};

// As runc's own default specification hides them.
constexpr const char* kMasked[] = {"/proc/acpi",
                                   "/proc/asound",
                                   "/proc/kcore",
                                   "/proc/keys",
                                   "/proc/latency_stats",
                                   "/proc/timer_list",
                                   "/proc/timer_stats",
                                   "/proc/sched_debug",
                                   "/proc/scsi",
                                   "/sys/firmware",
                                   "/sys/devices/virtual/powercap"};
constexpr const char* kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq",
                                     "/proc/sys", "/proc/sysrq-trigger"};

template <size_t N>
json::array List(const char* const (&names)[N]) {
  return json::array(std::begin(names), std::end(names));
}

json::object Mount(std::string_view type, std::string_view source,
                   std::string_view target, json::array options) {
  return {{"destination", target},
          {"type", type},
          {"source", source},
          {"options", std::move(options)}};
}

json::array Mounts(const OciOptions& options) {
  json::array mounts;
  mounts.push_back(
      Mount("proc", "proc", "/proc", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(Mount("tmpfs", "tmpfs", "/dev",
                         {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  mounts.push_back(Mount("devpts", "devpts", "/dev/pts",
                         {"nosuid", "noexec", "newinstance", "ptmxmode=0666",
                          "mode=0620", "gid=5"}));
  // Data loaders of ML frameworks pass batches through it: as large as memory
  // allows.
  mounts.push_back(Mount("tmpfs", "shm", "/dev/shm",
                         {"nosuid", "noexec", "nodev", "mode=1777"}));
  mounts.push_back(
      Mount("mqueue", "mqueue", "/dev/mqueue", {"nosuid", "noexec", "nodev"}));
  mounts.push_back(
      Mount("sysfs", "sysfs", "/sys", {"nosuid", "noexec", "nodev", "ro"}));
  mounts.push_back(
      Mount("tmpfs", "tmpfs", "/gcs",
            {"nosuid", "noexec", "nodev", "ro", "mode=755", "size=4k"}));
  for (const auto& [ours, inside] : options.files) {
    mounts.push_back(
        Mount("bind", ours, inside, {"bind", "ro", "nosuid", "nodev"}));
  }
  return mounts;
}

json::object Resources(const OciOptions& options) {
  json::object out;
  // Only the usual devices (the specification's own default list).
  if (options.cgroups.writable) {
    out["devices"] =
        json::array{json::object{{"allow", false}, {"access", "rwm"}}};
  }
  if (options.cgroups.memory && options.memory.has_value()) {
    out["memory"] = {{"limit", static_cast<int64_t>(*options.memory)}};
  }
  if (options.cgroups.cpu && options.cpus.has_value()) {
    constexpr int64_t kPeriod = 100'000;  // microseconds
    out["cpu"] = {
        {"period", kPeriod},
        {"quota", std::max<int64_t>(1000, static_cast<int64_t>(
                                              *options.cpus *
                                              static_cast<double>(kPeriod)))}};
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> CommandLine(
    const store::image::ImageConfig& image, const TaskSpec& spec) {
  std::vector<std::string> out = spec.command.value_or(image.entrypoint);
  const bool keeps_cmd = !spec.command.has_value() && !spec.args.has_value();
  const std::vector<std::string> tail =
      keeps_cmd ? image.cmd : spec.args.value_or(std::vector<std::string>());
  out.insert(out.end(), tail.begin(), tail.end());
  if (out.empty()) return absl::InvalidArgumentError("No command specified");
  return out;
}

std::map<std::string, std::string> Environment(
    const store::image::ImageConfig& image, const TaskSpec& spec,
    const ImageUser& user, const std::string& ca_bundle) {
  std::map<std::string, std::string> out = spec.env;
  for (const std::string& entry : image.env) {
    const size_t equals = entry.find('=');
    if (equals == 0) continue;
    out.emplace(entry.substr(0, equals),
                equals == std::string::npos ? "" : entry.substr(equals + 1));
  }
  out.emplace("PATH", kDefaultPath);
  out.emplace("HOME", user.home);
  if (ca_bundle.empty()) return out;
  for (const char* name : kBundleVariables) out.emplace(name, ca_bundle);
  return out;
}

std::string WriteOciConfig(const OciOptions& options) {
  json::array env;
  for (const auto& [name, value] : options.env) {
    env.emplace_back(base::StrCat(name, "=", value));
  }
  // A program that is not root gets none to begin with, as from Docker.
  const json::array all = List(kCapabilities);
  const json::array usable = options.user.uid == 0 ? all : json::array();
  const json::object process = {
      {"terminal", false},
      {"user",
       {{"uid", options.user.uid},
        {"gid", options.user.gid},
        {"additionalGids", json::value_from(options.user.groups)}}},
      {"args", json::value_from(options.argv)},
      {"env", std::move(env)},
      {"cwd", options.working_dir},
      {"capabilities",
       {{"bounding", all}, {"effective", usable}, {"permitted", usable}}},
      {"noNewPrivileges", true}};
  json::object linux_part = {{"namespaces", json::array{{{"type", "pid"}},
                                                        {{"type", "ipc"}},
                                                        {{"type", "uts"}},
                                                        {{"type", "mount"}}}},
                             {"maskedPaths", List(kMasked)},
                             {"readonlyPaths", List(kReadOnly)},
                             {"seccomp", SeccompFilter()},
                             {"resources", Resources(options)}};
  if (!options.cgroup_path.empty()) {
    linux_part["cgroupsPath"] = options.cgroup_path;
  }
  const json::object document = {
      {"ociVersion", "1.0.2"},
      {"process", process},
      {"root", {{"path", options.root}, {"readonly", false}}},
      {"hostname", options.hostname},
      {"mounts", Mounts(options)},
      {"linux", std::move(linux_part)}};
  return json::serialize(document);
}

}  // namespace brume::exec
