#include "store/image/layer_store.h"

#include "base/errno_status.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "runtime/child_process.h"

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace brume::store::image {
namespace {

constexpr size_t kNameDigits = 16;
constexpr std::string_view kScratch = "new-";

absl::Status SyncFolder(const std::string& path) {
  const base::UniqueFd fd(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("sync '", path, "'"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> EntriesOf(const std::string& folder) {
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) {
    return base::ErrnoToStatus(errno,
                               base::StrCat("read folder '", folder, "'"));
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(dir);
  return names;
}

// What the unpacker said on stderr, the last line of it: its own message.
std::string LastLine(std::string_view text) {
  const absl::string_view whole =
      absl::StripTrailingAsciiWhitespace(base::ToAbsl(text));
  const size_t start = whole.rfind('\n');
  return std::string(
      start == absl::string_view::npos ? whole : whole.substr(start + 1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<LayerStore>> LayerStore::Create(
    Options options, ImageStore& images) {
  if (mkdir(options.folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return base::ErrnoToStatus(
        errno, base::StrCat("make folder '", options.folder, "'"));
  }
  auto store =
      std::unique_ptr<LayerStore>(new LayerStore(std::move(options), images));
  ASSIGN_OR_RETURN(const std::vector<std::string> entries,
                   EntriesOf(store->options_.folder));
  for (const std::string& name : entries) {
    if (!name.starts_with(kScratch)) continue;
    RETURN_IF_ERROR(store->RemoveLeftover(name));
  }
  return store;
}

std::string LayerStore::NameOf(std::string_view diff_id) {
  return std::string(
      diff_id.substr(std::string_view("sha256:").size(), kNameDigits));
}

absl::StatusOr<std::vector<std::string>> LayerStore::Ensure(
    const ResolvedImage& image) {
  std::vector<std::string> names;
  for (size_t i = 0; i < image.layers.size(); ++i) {
    const std::string& diff_id = image.config.diff_ids[i];
    const std::string name = NameOf(diff_id);
    RETURN_IF_ERROR(EnsureOne(name, image.layers[i].digest, diff_id));
    names.push_back(name);
  }
  return names;
}

absl::Status LayerStore::KeepOnly(const std::set<std::string>& names) {
  constexpr std::string_view kMarker = ".ok";
  ASSIGN_OR_RETURN(const std::vector<std::string> entries,
                   EntriesOf(options_.folder));
  for (const std::string& entry : entries) {
    std::string name = entry;
    if (name.ends_with(kMarker)) name.resize(name.size() - kMarker.size());
    if (names.contains(name)) continue;
    // The marker first: a tree without one is not complete.
    unlink(base::StrCat(options_.folder, "/", name, kMarker).c_str());
    RETURN_IF_ERROR(RemoveLeftover(name));
  }
  return absl::OkStatus();
}

absl::Status LayerStore::EnsureOne(const std::string& name,
                                   const std::string& blob,
                                   const std::string& diff_id) {
  {
    absl::MutexLock lock(&mutex_);
    const auto is_free = [this, &name]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return !busy_.contains(name);
    };
    mutex_.Await(absl::Condition(&is_free));
    busy_.insert(name);
  }
  const absl::Cleanup done = [this, &name] {
    absl::MutexLock lock(&mutex_);
    busy_.erase(name);
  };
  ASSIGN_OR_RETURN(const bool there, IsDone(name, diff_id));
  if (there) return absl::OkStatus();
  return Unpack(name, blob, diff_id);
}

absl::StatusOr<bool> LayerStore::IsDone(const std::string& name,
                                        const std::string& diff_id) const {
  const std::string marker = base::StrCat(options_.folder, "/", name, ".ok");
  const base::UniqueFd fd(open(marker.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT) return false;
    return base::ErrnoToStatus(errno, base::StrCat("open '", marker, "'"));
  }
  std::string text(diff_id.size(), '\0');
  const ssize_t got = read(fd.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  if (text == diff_id) return true;
  if (text.size() < diff_id.size()) return false;  // cut by a power loss
  return absl::InternalError(base::StrCat("unpack layer '", diff_id,
                                          "': its short name is taken by '",
                                          text, "'; remove that image first"));
}

absl::Status LayerStore::RemoveLeftover(const std::string& name) const {
  runtime::ChildOptions child;
  child.argv = options_.unpacker;
  child.argv.insert(child.argv.end(), {"remove", options_.folder, name});
  child.die_with_parent = true;
  ASSIGN_OR_RETURN(const runtime::ChildOutput output,
                   runtime::RunChild(std::move(child)));
  if (output.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(LastLine(output.err));
}

absl::Status LayerStore::Unpack(const std::string& name,
                                const std::string& blob,
                                const std::string& diff_id) {
  ASSIGN_OR_RETURN(const BlobStore::Opened opened, images_.OpenBlob(blob));
  const std::string scratch = base::StrCat(kScratch, base::RandomHex(12));
  const std::string scratch_path = base::StrCat(options_.folder, "/", scratch);
  if (mkdir(scratch_path.c_str(), 0700) != 0) {
    return base::ErrnoToStatus(errno,
                               base::StrCat("make '", scratch_path, "'"));
  }
  runtime::ChildOptions child;
  child.argv = options_.unpacker;
  child.argv.insert(child.argv.end(), {"unpack", options_.folder, scratch});
  child.fds = {{opened.fd.get(), 0}};
  child.die_with_parent = true;
  absl::StatusOr<runtime::ChildOutput> output =
      runtime::RunChild(std::move(child));
  absl::Status status = output.status();
  if (status.ok() && output->exit_code != 0) {
    status = absl::InvalidArgumentError(
        base::StrCat("unpack layer '", blob, "': ", LastLine(output->err)));
  } else if (status.ok() && output->out != diff_id) {
    status = absl::InvalidArgumentError(base::StrCat(
        "unpack layer '", blob, "': it has the diff id '", output->out,
        "', but the image's config says '", diff_id, "'"));
  }
  if (!status.ok()) {
    RemoveLeftover(scratch).IgnoreError();
    return status;
  }
  // The unpacker synced the tree. Its own name first, then the marker.
  const std::string path = base::StrCat(options_.folder, "/", name);
  if (rename(scratch_path.c_str(), path.c_str()) != 0) {
    // A tree without a marker: from before a crash.
    RETURN_IF_ERROR(RemoveLeftover(name));
    if (rename(scratch_path.c_str(), path.c_str()) != 0) {
      return base::ErrnoToStatus(errno, base::StrCat("rename to '", path, "'"));
    }
  }
  RETURN_IF_ERROR(SyncFolder(options_.folder));
  const std::string marker = base::StrCat(path, ".ok");
  const base::UniqueFd fd(
      open(marker.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid() ||
      write(fd.get(), diff_id.data(), diff_id.size()) !=
          static_cast<ssize_t>(diff_id.size()) ||
      fsync(fd.get()) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("write '", marker, "'"));
  }
  return SyncFolder(options_.folder);
}

}  // namespace brume::store::image
