#include "store/image/stand_in.h"

#include "base/errno_status.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "runtime/child_process.h"
#include "store/image/digest.h"
#include "store/image/image_store.h"
#include "store/image/manifest.h"
#include "store/image/rooted_dir.h"
#include "store/image/zstd_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

constexpr std::string_view kSuite = "bookworm";
constexpr std::string_view kPackages =
    "python3,python3-pip,python-is-python3,python3-numpy,python3-sklearn,"
    "ca-certificates";
// dpkg's path filters, in order: the last that fits decides.
constexpr const char* kPathFilters[] = {
    "path-exclude=/usr/lib/python3*/EXTERNALLY-MANAGED",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/include/*",
    "path-exclude=*.a",
    "path-exclude=/usr/lib/gcc/*/cc1*",
    "path-exclude=/usr/lib/gcc/*/lto1",
    "path-exclude=/usr/bin/*lto-dump*",
    "path-exclude=/usr/lib/*/lib?san.so.*",
    "path-exclude=/usr/lib/*/libubsan.so.*"};
// Packages are built with the setuptools of the image, so that a source package
// installs offline too. ("false" is how pip is told to do without isolation.)
constexpr std::string_view kPipHook =
    "printf '[global]\\ndisable-pip-version-check = true\\n"
    "[install]\\nno-build-isolation = false\\n' > \"$1/etc/pip.conf\"";
// Python packages compile their tests while they are installed: removed at the
// end, with what apt keeps for the next time.
constexpr std::string_view kTidyHook =
    "cd \"$1\" && find usr/lib/python3/dist-packages -type d -name tests "
    "-prune -exec rm -rf {} + && rm -rf var/lib/apt/lists var/cache/apt";
constexpr std::string_view kRecipeVersion = "1";
constexpr size_t kCopyBuffer = 256 * 1024;
constexpr size_t kKeptWords = 4096;

std::vector<std::string> MmdebstrapCommand(const std::string& mirror) {
  std::vector<std::string> argv = {"mmdebstrap", "--variant=apt",
                                   "--format=tar",
                                   "--aptopt=APT::Install-Recommends \"false\"",
                                   base::StrCat("--include=", kPackages)};
  argv.emplace_back("--dpkgopt=force-unsafe-io");
  for (const char* filter : kPathFilters) {
    argv.push_back(base::StrCat("--dpkgopt=", filter));
  }
  argv.push_back(base::StrCat("--customize-hook=", kPipHook));
  argv.push_back(base::StrCat("--customize-hook=", kTidyHook));
  argv.emplace_back(kSuite);
  argv.emplace_back("-");
  if (!mirror.empty()) argv.push_back(mirror);
  return argv;
}

std::string RecipeKey(const StandInOptions& options) {
  std::string recipe(kRecipeVersion);
  for (const std::string& word : MmdebstrapCommand(options.mirror)) {
    base::StrAppend(&recipe, "\n", word);
  }
  return DigestOf(recipe).substr(std::string_view("sha256:").size(), 16);
}

absl::Status WriteSmall(int dir, const char* name, std::string_view text) {
  const base::UniqueFd fd(
      openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid() || write(fd.get(), text.data(), text.size()) !=
                         static_cast<ssize_t>(text.size())) {
    return base::ErrnoToStatus(errno, base::StrCat("write '", name, "'"));
  }
  return absl::OkStatus();
}

// What mmdebstrap says of itself, "I: extracting archives...", as a step.
class Narrator {
 public:
  explicit Narrator(const StandInOptions& options) : options_(options) {}

  void Hear(std::string_view words) {
    said_ += words;
    while (true) {
      const size_t end = said_.find('\n', begin_);
      if (end == std::string::npos) break;
      const std::string_view line =
          std::string_view(said_).substr(begin_, end - begin_);
      if (line.starts_with("I: ")) step_ = std::string(line.substr(3));
      begin_ = end + 1;
    }
    if (said_.size() > kKeptWords && begin_ > kKeptWords) {
      said_.erase(0, begin_ - kKeptWords / 2);
      begin_ = kKeptWords / 2;
    }
    Tell(bytes_);
  }
  void Tell(uint64_t bytes) {
    bytes_ = bytes;
    if (options_.progress) options_.progress(step_, bytes_);
  }
  // Its complaint: the lines that are errors, else the last one.
  std::string Complaint() const {
    const size_t error = said_.find("E: ");
    if (error != std::string::npos) {
      return said_.substr(error + 3, said_.find('\n', error) - error - 3);
    }
    const size_t last = said_.rfind('\n', said_.size() - 2);
    return said_.substr(last == std::string::npos ? 0 : last + 1);
  }

 private:
  const StandInOptions& options_;
  std::string said_;
  size_t begin_ = 0;  // of the line not heard to its end
  std::string step_ = "starting mmdebstrap";
  uint64_t bytes_ = 0;
};

// Runs mmdebstrap and packs what it writes into `name`; the diff id.
absl::StatusOr<std::string> PackLayer(const StandInOptions& options, int dir,
                                      const char* name) {
  base::UniqueFd file(
      openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("make '", name, "'"));
  }
  ZstdWriter packed(std::move(file));
  ASSIGN_OR_RETURN(runtime::Pipe out, runtime::MakePipe());
  ASSIGN_OR_RETURN(runtime::Pipe err, runtime::MakePipe());
  runtime::ChildOptions child;
  child.argv = MmdebstrapCommand(options.mirror);
  child.fds = {{out.write.get(), 1}, {err.write.get(), 2}};
  child.die_with_parent = true;
  const absl::StatusOr<pid_t> pid = runtime::SpawnChild(child);
  if (absl::IsNotFound(pid.status())) {
    return absl::FailedPreconditionError(
        "make stand-in image: 'mmdebstrap' is not installed; install the "
        "package of that name");
  }
  RETURN_IF_ERROR(pid.status());
  out.write.Reset();
  err.write.Reset();
  Narrator narrator(options);
  Sha256 hash;
  uint64_t bytes = 0;
  absl::Status status;
  std::string buffer(kCopyBuffer, '\0');
  pollfd polls[] = {{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
  while (polls[0].fd >= 0 || polls[1].fd >= 0) {
    if (poll(polls, 2, -1) < 0 && errno != EINTR) break;
    for (pollfd& wanted : polls) {
      if (wanted.fd < 0 || wanted.revents == 0) continue;
      const ssize_t got = read(wanted.fd, buffer.data(), buffer.size());
      if (got <= 0) {
        wanted.fd = -1;
        continue;
      }
      const std::string_view piece(buffer.data(), static_cast<size_t>(got));
      if (&wanted == &polls[1]) {
        narrator.Hear(piece);
        continue;
      }
      hash.Update(piece);
      bytes += piece.size();
      // After a failure it is only let run out.
      if (status.ok()) status = packed.Append(piece);
      narrator.Tell(bytes);
    }
  }
  ASSIGN_OR_RETURN(const int code, runtime::WaitChild(*pid));
  RETURN_IF_ERROR(status);
  if (code != 0) {
    return absl::FailedPreconditionError(base::StrCat(
        "make stand-in image: mmdebstrap failed: ", narrator.Complaint()));
  }
  RETURN_IF_ERROR(packed.Finish());
  return hash.Digest();
}

absl::Status Build(const StandInOptions& options, int dir) {
  constexpr const char* kLayer = "layer.tar.zst";
  ASSIGN_OR_RETURN(const std::string diff_id, PackLayer(options, dir, kLayer));
  ImageConfig config;
  config.env = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
      "/bin",
      "PIP_ROOT_USER_ACTION=ignore", "LANG=C.UTF-8"};
  config.cmd = {"python3"};
  config.labels[std::string(kStandInLabel)] =
      "made by Brume of Debian 12's packages (Python, pip, numpy, "
      "scikit-learn); not the image whose name it bears";
  config.diff_ids = {diff_id};
  RETURN_IF_ERROR(WriteSmall(dir, "config.json", WriteImageConfig(config)));
  return WriteSmall(
      dir, "manifest.json",
      base::StrCat(R"([{"Config":"config.json","RepoTags":null,"Layers":[")",
                   kLayer, R"("]}])"));
}

absl::StatusOr<base::UniqueFd> OpenCache(const std::string& path) {
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
      return base::ErrnoToStatus(errno, base::StrCat("make '", part, "'"));
    }
    if (at == std::string::npos) break;
  }
  base::UniqueFd dir(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open '", path, "'"));
  }
  return dir;
}

}  // namespace

absl::StatusOr<std::string> MakeStandIn(const StandInOptions& options) {
  ASSIGN_OR_RETURN(const base::UniqueFd cache, OpenCache(options.cache));
  const std::string key = RecipeKey(options);
  const std::string path = base::StrCat(options.cache, "/", key);
  // One at a time: who comes second finds what the first has made.
  const base::UniqueFd lock(
      openat(cache.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid() || flock(lock.get(), LOCK_EX) != 0) {
    return base::ErrnoToStatus(errno,
                               base::StrCat("lock '", options.cache, "'"));
  }
  struct stat info = {};
  const bool there =
      fstatat(cache.get(), base::StrCat(key, "/manifest.json").c_str(), &info,
              0) == 0;
  if (there && !options.fresh) return path;
  const std::string scratch = base::StrCat("new-", base::RandomHex(8));
  if (mkdirat(cache.get(), scratch.c_str(), 0755) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("make '", scratch, "'"));
  }
  absl::Status status;
  {
    const base::UniqueFd dir(openat(cache.get(), scratch.c_str(),
                                    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    status = Build(options, dir.get());
  }
  if (status.ok()) status = RemoveTree(cache.get(), key);
  if (status.ok() &&
      renameat(cache.get(), scratch.c_str(), cache.get(), key.c_str()) != 0) {
    status = base::ErrnoToStatus(errno, base::StrCat("rename to '", path, "'"));
  }
  if (!status.ok()) {
    RemoveTree(cache.get(), scratch).IgnoreError();
    return status;
  }
  return path;
}

}  // namespace brume::store::image
