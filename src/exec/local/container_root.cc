#include "exec/local/container_root.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "exec/local/image_user.h"
#include "exec/local/oci_config.h"
#include "store/image/rooted_dir.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

namespace brume::exec {
namespace {

using store::image::RootedDir;

// What overlayfs takes as options: one page.
constexpr size_t kMaxMountOptions = 4095;
constexpr size_t kMaxUserFile = 1024 * 1024;
constexpr size_t kMaxBundle = 16 * 1024 * 1024;

// Debian's place for the bundle; the variables name it.
constexpr std::string_view kBundle = "/etc/ssl/certs/ca-certificates.crt";
// Others': covered where the image has them.
constexpr std::string_view kOtherBundles[] = {
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"};

constexpr const char* kFolders[] = {"upper", "work",  "root",
                                    "run",   "files", "empty"};

std::string Through(int dir, std::string_view name) {
  return base::StrCat("/proc/self/fd/", dir, "/", name);
}

// `dir` is the task's folder, opened in this mount namespace (overlayfs takes
// nothing from another).
absl::Status MountOverlay(const TaskFiles& files, int dir,
                          const LaunchPlan& plan) {
  // The paths are short whatever the data folder is called, and hold none of
  // the characters that overlayfs would want escaped.
  std::string lower;
  for (auto it = plan.layers.rbegin(); it != plan.layers.rend(); ++it) {
    base::StrAppend(&lower, lower.empty() ? "" : ":", *it);
  }
  if (lower.empty()) lower = Through(dir, "empty");
  const std::string options = base::StrCat("userxattr,lowerdir=", lower,
                                           ",upperdir=", Through(dir, "upper"),
                                           ",workdir=", Through(dir, "work"));
  if (options.size() > kMaxMountOptions) {
    return absl::InvalidArgumentError(
        base::StrCat("stack layers: ", plan.layers.size(),
                     " are more than overlayfs takes; build the image with "
                     "fewer steps"));
  }
  if (chdir(plan.layers_folder.c_str()) != 0) {
    return base::ErrnoToStatus(
        errno, base::StrCat("enter '", plan.layers_folder, "'"));
  }
  const int mounted = mount("overlay", Through(dir, "root").c_str(), "overlay",
                            0, options.c_str());
  const int error = errno;
  if (fchdir(dir) != 0) {
    return base::ErrnoToStatus(errno, "enter task folder");
  }
  if (mounted == 0) return absl::OkStatus();
  return base::ErrnoToStatus(
      error,
      base::StrCat("stack layers with overlayfs in '", files.folder(),
                   "' (the data folder must be on a file system that overlayfs "
                   "can write to, such as ext4 or xfs)"));
}

// Readable by whomever the container's program runs as. Not synced: made anew
// for each start.
absl::Status WriteShared(const TaskFiles& files, const char* name,
                         std::string_view bytes) {
  const base::UniqueFd fd(openat(
      files.dir(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid() ||
      write(fd.get(), bytes.data(), bytes.size()) !=
          static_cast<ssize_t>(bytes.size()) ||
      fchmod(fd.get(), 0644) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("write '", name, "'"));
  }
  return absl::OkStatus();
}

std::string ReadHostFile(std::string_view path) {
  std::ifstream file{std::string(path), std::ios::binary};
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string ReadOrEmpty(const RootedDir& root, std::string_view path,
                        size_t limit) {
  return root.ReadFile(path, limit).value_or("");
}

// Adds the certificates of `pem` that are not in `bundle` yet, without the text
// between them.
void AddCertificates(std::string_view pem, std::set<std::string>& seen,
                     std::string& bundle) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  while (true) {
    const size_t begin = pem.find(kBegin);
    const size_t end = pem.find(kEnd, begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) {
      return;
    }
    const std::string one(pem.substr(begin, end + kEnd.size() - begin));
    pem.remove_prefix(end + kEnd.size());
    if (seen.insert(one).second) base::StrAppend(&bundle, one, "\n");
  }
}

// The bundle: the image's CAs, ours, and this machine's: connections to hosts
// that are not ours leave through its network, where a company's proxy may
// stand in the way.
absl::Status WriteBundle(const TaskFiles& files, const RootedDir& root,
                         const LaunchPlan& plan) {
  std::set<std::string> seen;
  std::string bundle;
  AddCertificates(ReadHostFile(plan.ca_file), seen, bundle);
  if (bundle.empty()) {
    return absl::FailedPreconditionError(
        base::StrCat("read CA '", plan.ca_file, "': it holds no certificate"));
  }
  AddCertificates(ReadOrEmpty(root, kBundle, kMaxBundle), seen, bundle);
  AddCertificates(ReadHostFile(kBundle), seen, bundle);
  for (const std::string_view path : kOtherBundles) {
    AddCertificates(ReadOrEmpty(root, path, kMaxBundle), seen, bundle);
    AddCertificates(ReadHostFile(path), seen, bundle);
  }
  return WriteShared(files, "files/ca.pem", bundle);
}

absl::Status MakeFolders(const TaskFiles& files) {
  for (const char* name : kFolders) {
    if (mkdirat(files.dir(), name, 0755) != 0 && errno != EEXIST) {
      return base::ErrnoToStatus(
          errno, base::StrCat("make '", files.folder(), "/", name, "'"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BuildContainer(const TaskFiles& files, const TaskRecord& record,
                            const LaunchPlan& plan,
                            const CgroupSupport& cgroups,
                            const std::string& cgroup_path) {
  OciOptions options;
  ASSIGN_OR_RETURN(options.argv, CommandLine(plan.image, record.spec));
  RETURN_IF_ERROR(MakeFolders(files));
  const base::UniqueFd here(
      open(files.folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!here.valid()) return base::ErrnoToStatus(errno, "open task folder");
  RETURN_IF_ERROR(MountOverlay(files, here.get(), plan));
  ASSIGN_OR_RETURN(const RootedDir root,
                   RootedDir::Open(Through(here.get(), "root")));
  ASSIGN_OR_RETURN(
      options.user,
      FindImageUser(plan.image.user,
                    ReadOrEmpty(root, "/etc/passwd", kMaxUserFile),
                    ReadOrEmpty(root, "/etc/group", kMaxUserFile)));
  if (!plan.image.working_dir.empty()) {
    options.working_dir = plan.image.working_dir;
    if (options.working_dir.front() != '/') {
      options.working_dir.insert(0, "/");
    }
    RETURN_IF_ERROR(root.MakeDirectories(options.working_dir, 0755));
  }

  options.hostname =
      record.spec.hostname.empty() ? record.spec.id : record.spec.hostname;
  RETURN_IF_ERROR(
      WriteShared(files, "files/hostname", options.hostname + "\n"));
  RETURN_IF_ERROR(
      WriteShared(files, "files/resolv.conf", "nameserver 127.0.0.1\n"));
  RETURN_IF_ERROR(WriteShared(
      files, "files/hosts",
      base::StrCat("127.0.0.1\tlocalhost\n127.0.0.1\t", options.hostname,
                   "\n169.254.169.254\tmetadata.google.internal metadata\n")));
  const std::string folder = files.folder();
  const auto lay = [&](std::string_view ours, std::string_view inside) {
    options.files.emplace_back(base::StrCat(folder, "/files/", ours), inside);
  };
  lay("hostname", "/etc/hostname");
  lay("resolv.conf", "/etc/resolv.conf");
  lay("hosts", "/etc/hosts");
  std::string bundle;
  if (!plan.ca_file.empty()) {
    RETURN_IF_ERROR(WriteBundle(files, root, plan));
    bundle = kBundle;
    lay("ca.pem", kBundle);
    for (const std::string_view other : kOtherBundles) {
      // Not where it is a link to the one that is covered already.
      const auto there = root.OpenFile(other, O_PATH | O_NOFOLLOW);
      struct stat info = {};
      if (there.ok() && fstat(there->get(), &info) == 0 &&
          S_ISREG(info.st_mode)) {
        lay("ca.pem", other);
      }
    }
  }
  options.env = Environment(plan.image, record.spec, options.user, bundle);
  options.root = base::StrCat(folder, "/root");
  options.cgroups = cgroups;
  if (options.cgroups.writable) options.cgroup_path = cgroup_path;
  options.cpus = record.spec.cpus;
  options.memory = record.spec.memory;
  return WriteShared(files, "run/config.json", WriteOciConfig(options));
}

absl::Status RemoveContainer(const TaskFiles& files) {
  absl::Status status;
  for (const char* name : kFolders) {
    status.Update(store::image::RemoveTree(files.dir(), name));
  }
  return status;
}

}  // namespace brume::exec
