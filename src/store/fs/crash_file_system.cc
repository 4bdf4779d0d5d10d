#include "store/fs/crash_file_system.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

namespace brume::store {
namespace {

absl::Status Error(int error, std::string_view action, std::string_view path) {
  return base::ErrnoToStatus(error, base::StrCat(action, " '", path, "'"));
}

std::string_view NameOf(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

// A file or a directory: as it is, and as the disk has it.
struct CrashFileSystem::Node {
  using Entries = std::map<std::string, NodePtr, std::less<>>;
  // One change to a directory; a rename is two steps that go together.
  using Change = std::vector<std::pair<std::string, NodePtr>>;

  explicit Node(bool directory) : is_directory(directory) {}

  void Enter(Change change) {
    Apply(change, entries);
    changes.push_back(std::move(change));
  }
  static void Apply(const Change& change, Entries& to) {
    for (const auto& [name, node] : change) {
      if (node == nullptr) {
        to.erase(name);
      } else {
        to[name] = node;
      }
    }
  }

  void Sync() {
    if (is_directory) {
      durable_entries = entries;
      changes.clear();
    } else {
      durable.resize(std::min(durable.size(), dirty_from));
      durable.append(bytes, dirty_from);
      dirty_from = bytes.size();
    }
  }

  // Power was lost and is back.
  void Restart(std::mt19937_64* random) {
    if (!is_directory) {
      if (random != nullptr) KeepSomeBytes(*random);
      bytes = durable;
      dirty_from = bytes.size();
      return;
    }
    if (random != nullptr) {
      for (const Change& change : changes) {
        if ((*random)() % 2 == 0) Apply(change, durable_entries);
      }
    }
    changes.clear();
    entries = durable_entries;
    for (auto& [name, node] : entries) node->Restart(random);
  }

  void KeepSomeBytes(std::mt19937_64& random) {
    if (random() % 4 == 0) return;
    const size_t unsynced = bytes.size() - dirty_from;
    const size_t kept = unsynced == 0 ? 0 : random() % (unsynced + 1);
    // A truncation that reached the disk takes the old end with it.
    if (dirty_from < durable.size()) durable.resize(dirty_from);
    durable.append(bytes, dirty_from, kept);
    if (kept > 0 && random() % 3 == 0) {
      const size_t torn = random() % std::min<size_t>(kept, 4096) + 1;
      std::fill(durable.end() - static_cast<ptrdiff_t>(torn), durable.end(),
                '\0');
    }
  }

  const bool is_directory;
  absl::Time modified = absl::Now();
  std::string bytes;
  std::string durable;
  size_t dirty_from = 0;  // bytes before are the same in both
  Entries entries;
  Entries durable_entries;
  std::vector<Change> changes;  // since the last sync
};

class CrashFileSystem::OpenFile final : public File {
 public:
  OpenFile(CrashFileSystem* disk, uint64_t epoch, std::string path,
           NodePtr node)
      : disk_(disk), epoch_(epoch), path_(std::move(path)), node_(node) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset, size_t count,
                                char* out) const override {
    absl::MutexLock lock(&disk_->mutex_);
    RETURN_IF_ERROR(disk_->Alive(epoch_));
    if (offset >= node_->bytes.size()) return size_t{0};
    count = std::min<size_t>(count, node_->bytes.size() - offset);
    std::memcpy(out, node_->bytes.data() + offset, count);
    return count;
  }

  absl::Status Append(std::string_view bytes) override {
    absl::MutexLock lock(&disk_->mutex_);
    RETURN_IF_ERROR(disk_->Alive(epoch_));
    const absl::Status status = disk_->AppendTo(*node_, bytes, path_);
    disk_->Count(base::StrCat("append ", path_));
    return status;
  }

  absl::Status Truncate(uint64_t size) override {
    absl::MutexLock lock(&disk_->mutex_);
    RETURN_IF_ERROR(disk_->Alive(epoch_));
    node_->bytes.resize(size);
    node_->dirty_from = std::min<size_t>(node_->dirty_from, size);
    disk_->Count(base::StrCat("truncate ", path_));
    return absl::OkStatus();
  }

  absl::Status Sync(std::string_view label) override {
    absl::MutexLock lock(&disk_->mutex_);
    RETURN_IF_ERROR(disk_->Alive(epoch_));
    if (disk_->CountSync(label, path_)) node_->Sync();
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() const override {
    absl::MutexLock lock(&disk_->mutex_);
    RETURN_IF_ERROR(disk_->Alive(epoch_));
    return uint64_t{node_->bytes.size()};
  }

  // A copy of the bytes, in a file of the kernel's memory.
  absl::StatusOr<base::UniqueFd> Descriptor() const override {
    absl::MutexLock lock(&disk_->mutex_);
    RETURN_IF_ERROR(disk_->Alive(epoch_));
    base::UniqueFd fd(::memfd_create("crash", MFD_CLOEXEC));
    if (!fd.valid()) return Error(errno, "open", path_);
    const std::string& bytes = node_->bytes;
    if (::pwrite(fd.get(), bytes.data(), bytes.size(), 0) !=
        static_cast<ssize_t>(bytes.size())) {
      return Error(errno, "open", path_);
    }
    return fd;
  }

 private:
  CrashFileSystem* disk_;
  uint64_t epoch_;
  std::string path_;
  NodePtr node_;
};

class CrashFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(CrashFileSystem* disk, uint64_t epoch, std::string path)
      : disk_(disk), epoch_(epoch), path_(std::move(path)) {}
  ~HeldLock() override {
    absl::MutexLock lock(&disk_->mutex_);
    if (epoch_ == disk_->epoch_) disk_->locked_.erase(path_);
  }

 private:
  CrashFileSystem* disk_;
  uint64_t epoch_;
  std::string path_;
};

CrashFileSystem::CrashFileSystem() : root_(std::make_shared<Node>(true)) {}
CrashFileSystem::~CrashFileSystem() = default;

void CrashFileSystem::Crash() {
  absl::MutexLock lock(&mutex_);
  crashed_ = true;
}

void CrashFileSystem::CrashAfterCall(uint64_t number) {
  absl::MutexLock lock(&mutex_);
  crash_after_ = number;
  if (call_names_.size() >= number) crashed_ = true;
}

void CrashFileSystem::Restart(std::optional<uint64_t> seed) {
  absl::MutexLock lock(&mutex_);
  if (seed) {
    std::mt19937_64 random(*seed);
    root_->Restart(&random);
  } else {
    root_->Restart(nullptr);
  }
  // What a restart finds on the disk is durable.
  const std::function<void(Node&)> settle = [&](Node& node) {
    node.Sync();
    for (auto& [name, child] : node.entries) settle(*child);
  };
  settle(*root_);
  locked_.clear();
  ++epoch_;
  crashed_ = false;
  crash_after_ = kUnlimited;
}

bool CrashFileSystem::crashed() const {
  absl::MutexLock lock(&mutex_);
  return crashed_;
}

uint64_t CrashFileSystem::calls() const {
  absl::MutexLock lock(&mutex_);
  return call_names_.size();
}

std::string CrashFileSystem::CallName(uint64_t number) const {
  absl::MutexLock lock(&mutex_);
  if (number == 0 || number > call_names_.size()) return "no call";
  return call_names_[number - 1];
}

void CrashFileSystem::SuppressSync(std::string_view label) {
  absl::MutexLock lock(&mutex_);
  suppressed_.emplace(label);
}

std::set<std::string> CrashFileSystem::SyncLabels() const {
  absl::MutexLock lock(&mutex_);
  std::set<std::string> labels;
  for (const auto& [label, count] : syncs_) labels.insert(label);
  return labels;
}

uint64_t CrashFileSystem::SyncCount(std::string_view label) const {
  absl::MutexLock lock(&mutex_);
  const auto found = syncs_.find(label);
  return found == syncs_.end() ? 0 : found->second;
}

void CrashFileSystem::SetFreeSpace(uint64_t bytes) {
  absl::MutexLock lock(&mutex_);
  free_space_ = bytes;
}

std::vector<std::string> CrashFileSystem::Files() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> files;
  const std::function<void(const Node&, const std::string&)> walk =
      [&](const Node& node, const std::string& path) {
        for (const auto& [name, child] : node.entries) {
          const std::string child_path = base::StrCat(path, "/", name);
          if (child->is_directory) {
            walk(*child, child_path);
          } else {
            files.push_back(child_path);
          }
        }
      };
  walk(*root_, "");
  return files;
}

absl::StatusOr<std::unique_ptr<File>> CrashFileSystem::Open(
    const std::string& path, OpenMode mode) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  absl::StatusOr<NodePtr> found = Find(path);
  const bool creates =
      mode == OpenMode::kCreate || mode == OpenMode::kCreateNew;
  if (found.ok() && mode == OpenMode::kCreateNew) {
    return Error(EEXIST, "open", path);
  }
  if (!found.ok() && !creates) return found.status();
  if (found.ok() && (*found)->is_directory) return Error(EISDIR, "open", path);
  if (creates) {
    if (free_space_ == 0) return Error(ENOSPC, "open", path);
    ASSIGN_OR_RETURN(const NodePtr directory, FindDirectory(path));
    if (found.ok()) {
      (*found)->bytes.clear();
      (*found)->dirty_from = 0;
    } else {
      found = std::make_shared<Node>(false);
      directory->Enter({{std::string(NameOf(path)), *found}});
    }
    Count(base::StrCat("create ", path));
  }
  return std::make_unique<OpenFile>(this, epoch_, path, *found);
}

absl::StatusOr<FileInfo> CrashFileSystem::Stat(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  ASSIGN_OR_RETURN(const NodePtr node, Find(path));
  return FileInfo{node->bytes.size(), node->modified, node->is_directory};
}

absl::StatusOr<std::vector<std::string>> CrashFileSystem::List(
    const std::string& path) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  ASSIGN_OR_RETURN(const NodePtr node, Find(path));
  if (!node->is_directory) return Error(ENOTDIR, "list", path);
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

absl::Status CrashFileSystem::MakeDirectory(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  if (const auto found = Find(path); found.ok()) {
    if ((*found)->is_directory) return absl::OkStatus();
    return Error(EEXIST, "make directory", path);
  }
  if (free_space_ == 0) return Error(ENOSPC, "make directory", path);
  ASSIGN_OR_RETURN(const NodePtr parent, FindDirectory(path));
  parent->Enter({{std::string(NameOf(path)), std::make_shared<Node>(true)}});
  Count(base::StrCat("mkdir ", path));
  return absl::OkStatus();
}

absl::Status CrashFileSystem::Rename(const std::string& from,
                                     const std::string& to) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  if (DirectoryOf(from) != DirectoryOf(to)) return Error(EXDEV, "rename", from);
  ASSIGN_OR_RETURN(const NodePtr node, Find(from));
  ASSIGN_OR_RETURN(const NodePtr directory, FindDirectory(from));
  directory->Enter(
      {{std::string(NameOf(from)), nullptr}, {std::string(NameOf(to)), node}});
  Count(base::StrCat("rename ", from, " ", to));
  return absl::OkStatus();
}

absl::Status CrashFileSystem::Unlink(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  ASSIGN_OR_RETURN(const NodePtr node, Find(path));
  if (node->is_directory) return Error(EISDIR, "remove", path);
  ASSIGN_OR_RETURN(const NodePtr directory, FindDirectory(path));
  directory->Enter({{std::string(NameOf(path)), nullptr}});
  Count(base::StrCat("unlink ", path));
  return absl::OkStatus();
}

absl::Status CrashFileSystem::SyncDirectory(const std::string& path,
                                            std::string_view label) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  ASSIGN_OR_RETURN(const NodePtr node, Find(path));
  if (CountSync(label, path)) node->Sync();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileLock>> CrashFileSystem::Lock(
    const std::string& path) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Alive(epoch_));
  RETURN_IF_ERROR(FindDirectory(path).status());
  if (!locked_.insert(path).second) {
    return absl::FailedPreconditionError(
        base::StrCat("lock '", path, "': another process holds it"));
  }
  return std::make_unique<HeldLock>(this, epoch_, path);
}

absl::Status CrashFileSystem::Alive(uint64_t epoch) const {
  if (crashed_ || epoch != epoch_) {
    return absl::UnavailableError("use the disk: it has crashed");
  }
  return absl::OkStatus();
}

void CrashFileSystem::Count(std::string name) {
  call_names_.push_back(std::move(name));
  if (call_names_.size() >= crash_after_) crashed_ = true;
}

bool CrashFileSystem::CountSync(std::string_view label, std::string_view path) {
  ++syncs_[std::string(label)];
  Count(base::StrCat("sync ", label, " ", path));
  return !suppressed_.contains(label);
}

absl::StatusOr<CrashFileSystem::NodePtr> CrashFileSystem::Find(
    std::string_view path) const {
  NodePtr node = root_;
  for (absl::string_view part :
       absl::StrSplit(base::ToAbsl(path), '/', absl::SkipEmpty())) {
    const auto child = node->entries.find(base::ToStd(part));
    if (child == node->entries.end()) return Error(ENOENT, "open", path);
    node = child->second;
  }
  return node;
}

absl::StatusOr<CrashFileSystem::NodePtr> CrashFileSystem::FindDirectory(
    std::string_view path) const {
  ASSIGN_OR_RETURN(NodePtr node, Find(DirectoryOf(path)));
  if (!node->is_directory) return Error(ENOTDIR, "open", path);
  return node;
}

absl::Status CrashFileSystem::AppendTo(Node& node, std::string_view bytes,
                                       const std::string& path) {
  const size_t fits = std::min<uint64_t>(bytes.size(), free_space_);
  node.bytes.append(bytes.substr(0, fits));
  node.modified = absl::Now();
  if (free_space_ != kUnlimited) free_space_ -= fits;
  if (fits < bytes.size()) return Error(ENOSPC, "write", path);
  return absl::OkStatus();
}

}  // namespace brume::store
