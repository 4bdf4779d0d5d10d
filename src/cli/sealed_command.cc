#include "cli/sealed_command.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/ca_bundle.h"
#include "cli/files.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

namespace brume::cli {
namespace {

// Over these the files of the same name in ClientFiles::sealed are mounted.
// Resolution goes to our name server alone: not to a cache's or systemd's
// socket, which lead out of the namespace.
constexpr std::string_view kResolvConf = "nameserver 127.0.0.1\n";
constexpr std::string_view kNsswitch =
    "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
    "networks: files\nprotocols: files\nservices: files\n";
constexpr std::string_view kCacheSocket = "/run/nscd/socket";

std::string RealPath(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) == nullptr ? "" : resolved;
}

std::string Hosts() {
  char name[HOST_NAME_MAX + 1] = {};
  ::gethostname(name, HOST_NAME_MAX);
  return base::StrCat("127.0.0.1 localhost\n::1 localhost ip6-localhost\n",
                      "169.254.169.254 metadata.google.internal metadata\n",
                      "127.0.1.1 ", std::string_view(name), "\n");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SealedCommand>> SealedCommand::Prepare(
    const ClientFiles& files, const std::string& home) {
  auto out = std::unique_ptr<SealedCommand>(new SealedCommand());
  RETURN_IF_ERROR(MakeFolders(files.sealed));
  const auto add = [&](const std::string& name, std::string_view text,
                       const std::string& over) -> absl::Status {
    const std::string target = RealPath(over);
    if (target.empty()) return absl::OkStatus();
    const std::string from = base::StrCat(files.sealed, "/", name);
    RETURN_IF_ERROR(WriteWholeFile(from, text));
    // Read by whoever the command becomes; there is no secret in them.
    ::chmod(from.c_str(), 0644);
    out->mounts_.push_back({from, target});
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add("resolv.conf", kResolvConf, "/etc/resolv.conf"));
  RETURN_IF_ERROR(add("hosts", Hosts(), "/etc/hosts"));
  RETURN_IF_ERROR(add("nsswitch.conf", kNsswitch, "/etc/nsswitch.conf"));
  RETURN_IF_ERROR(add("nscd", "\n", std::string(kCacheSocket)));
  for (const std::string_view bundle : SystemBundles()) {
    const std::string target = RealPath(std::string(bundle));
    if (target.empty()) continue;
    out->mounts_.push_back({files.ca_bundle, target});
    break;
  }
  if (!home.empty()) {
    RETURN_IF_ERROR(out->MakePlace(home, files.sealed + "/made-place"));
    out->mounts_.push_back({files.gcloud, home + "/.config/gcloud"});
  }
  return out;
}

absl::Status SealedCommand::MakePlace(const std::string& home,
                                      const std::string& marker) {
  home_ = home;
  marker_ = marker;
  lock_.Reset(
      ::open((marker + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open '", marker, ".lock'"));
  }
  if (::flock(lock_.get(), LOCK_SH) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("lock '", marker, ".lock'"));
  }
  for (const char* part : {"/.config", "/.config/gcloud"}) {
    const std::string folder = home + part;
    if (::mkdir(folder.c_str(), 0700) == 0) {
      RETURN_IF_ERROR(
          WriteWholeFile(marker, ReadWholeFile(marker) + folder + "\n"));
    } else if (errno != EEXIST) {
      return base::ErrnoToStatus(
          errno, base::StrCat("make folder '", folder,
                              "' to lay gcloud's configuration over"));
    }
  }
  return absl::OkStatus();
}

SealedCommand::~SealedCommand() {
  // A folder on which another command has mounted must stay: removing it would
  // take the mount away. Whoever is last gets the lock for itself alone.
  if (!lock_.valid() || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) return;
  std::string made = ReadWholeFile(marker_);
  if (made.empty()) return;
  for (const char* part : {"/.config/gcloud", "/.config"}) {
    const std::string folder = home_ + part;
    if (made.find(folder + "\n") == std::string::npos) continue;
    ::rmdir(folder.c_str());  // only when empty
  }
  ::unlink(marker_.c_str());
}

absl::Status SealedCommand::Enter(
    const runtime::SealedNamespace& network) const {
  RETURN_IF_ERROR(network.Enter());
  if (::unshare(CLONE_NEWNS) != 0) {
    return base::ErrnoToStatus(errno, "create mount namespace");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return base::ErrnoToStatus(errno, "make mounts private");
  }
  for (const Mount& mount : mounts_) {
    if (::mount(mount.from.c_str(), mount.to.c_str(), nullptr, MS_BIND,
                nullptr) != 0) {
      return base::ErrnoToStatus(
          errno,
          base::StrCat("mount '", mount.from, "' over '", mount.to, "'"));
    }
  }
  // The working directory may lie below a mount.
  char directory[PATH_MAX];
  if (::getcwd(directory, sizeof(directory)) != nullptr) {
    [[maybe_unused]] const int done = ::chdir(directory);
  }
  return absl::OkStatus();
}

}  // namespace brume::cli
