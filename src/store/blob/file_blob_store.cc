#include "store/blob/file_blob_store.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/key.h"

#include <absl/strings/numbers.h>

#include <array>
#include <optional>
#include <utility>

namespace brume::store {
namespace {

constexpr uint64_t kIdsAtOnce = 64;
constexpr uint64_t kFolders = 256;
constexpr size_t kCollectAtOnce = 256;

constexpr std::string_view kIntent = "blob.intent";
constexpr std::string_view kReference = "blob.reference";
constexpr std::string_view kSuspended = "blob.suspended";
constexpr std::string_view kDead = "blob.dead";

std::string NextKey() { return Key("blob.next").str(); }
std::string RowKey(std::string_view table, uint64_t id) {
  return Key(table).AddInt(id).str();
}

std::string Hex(uint64_t value, int digits) {
  std::string text(static_cast<size_t>(digits), '0');
  for (size_t i = text.size(); i-- > 0; value >>= 4) {
    text[i] = "0123456789abcdef"[value & 15];
  }
  return text;
}

BlobId IdText(uint64_t id) { return Hex(id, 16); }

// Ids come back from rows of ours: one that does not parse is damage.
absl::StatusOr<uint64_t> ParseId(std::string_view text) {
  uint64_t id = 0;
  if (text.size() != 16 || !absl::SimpleHexAtoi(base::ToAbsl(text), &id)) {
    return absl::DataLossError(
        base::StrCat("read blob id '", text, "': not an id of this store"));
  }
  return id;
}

absl::Status NoSuchBlob(std::string_view action, uint64_t id) {
  return absl::NotFoundError(
      base::StrCat(action, " blob '", IdText(id), "': there is none"));
}

absl::Status IgnoreMissing(absl::Status status) {
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<uint64_t> ParseCount(const std::string& text) {
  uint64_t count = 0;
  if (!absl::SimpleAtoi(text, &count)) {
    return absl::DataLossError("read blob row: not a number");
  }
  return count;
}

}  // namespace

class FileBlobStore::Writer final : public BlobWriter {
 public:
  // `kept`: the file belongs to a suspended row and is not ours to remove.
  Writer(FileBlobStore* store, uint64_t id, std::unique_ptr<File> file,
         uint64_t size, bool kept)
      : store_(store),
        id_(id),
        file_(std::move(file)),
        size_(size),
        kept_(kept) {}
  ~Writer() override {
    if (file_ == nullptr || kept_) return;
    file_.reset();
    store_->Forget(id_);
  }

  absl::Status Append(std::string_view bytes) override {
    RETURN_IF_ERROR(file_->Append(bytes));
    size_ += bytes.size();
    return absl::OkStatus();
  }

  uint64_t size() const override { return size_; }

  absl::StatusOr<BlobId> Commit() override {
    RETURN_IF_ERROR(file_->Sync("blob.data"));
    const std::string path = store_->PathOf(id_);
    RETURN_IF_ERROR(
        store_->options_.files->Rename(base::StrCat(path, ".part"), path));
    RETURN_IF_ERROR(store_->syncs_.Sync(store_->FolderOf(id_), "blob.name"));
    file_.reset();
    return IdText(id_);
  }

  absl::StatusOr<std::string> Park() {
    RETURN_IF_ERROR(file_->Sync("blob.suspended"));
    if (!kept_) {
      RETURN_IF_ERROR(
          store_->syncs_.Sync(store_->FolderOf(id_), "blob.suspended_name"));
    }
    file_.reset();
    return IdText(id_);
  }

 private:
  FileBlobStore* const store_;
  const uint64_t id_;
  std::unique_ptr<File> file_;
  uint64_t size_;
  const bool kept_;
};

absl::StatusOr<std::unique_ptr<FileBlobStore>> FileBlobStore::Create(
    Options options) {
  std::unique_ptr<FileBlobStore> store(new FileBlobStore(std::move(options)));
  const Options& made = store->options_;
  RETURN_IF_ERROR(made.files->MakeDirectory(made.path));
  RETURN_IF_ERROR(
      made.files->SyncDirectory(DirectoryOf(made.path), "blob.root"));
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<uint64_t> left,
                     store->IdsIn(kIntent, kCollectAtOnce));
    if (left.empty()) break;
    RETURN_IF_ERROR(store->Remove(kIntent, left));
  }
  return store;
}

FileBlobStore::~FileBlobStore() = default;

std::string FileBlobStore::FolderOf(uint64_t id) const {
  return base::StrCat(options_.path, "/", Hex(id / kIdsAtOnce % kFolders, 2));
}

std::string FileBlobStore::PathOf(uint64_t id) const {
  return base::StrCat(FolderOf(id), "/", IdText(id));
}

absl::Status FileBlobStore::ReserveIds() {
  uint64_t first = 0;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<std::string> row,
                         txn.GetForUpdate(NextKey()));
        first = 0;
        if (row) {
          ASSIGN_OR_RETURN(first, ParseCount(*row));
        }
        for (uint64_t id = first; id < first + kIdsAtOnce; ++id) {
          RETURN_IF_ERROR(txn.Put(RowKey(kIntent, id), ""));
        }
        return txn.Put(NextKey(), base::StrCat(first + kIdsAtOnce));
      }));
  const std::string folder = FolderOf(first);
  if (!folders_.contains(folder)) {
    RETURN_IF_ERROR(options_.files->MakeDirectory(folder));
    RETURN_IF_ERROR(
        options_.files->SyncDirectory(options_.path, "blob.folder"));
    folders_.insert(folder);
  }
  next_ = first;
  end_ = first + kIdsAtOnce;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> FileBlobStore::NextId() {
  absl::MutexLock lock(&ids_mutex_);
  if (next_ == end_) RETURN_IF_ERROR(ReserveIds());
  return next_++;
}

absl::StatusOr<std::unique_ptr<BlobWriter>> FileBlobStore::Create() {
  ASSIGN_OR_RETURN(const uint64_t id, NextId());
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   options_.files->Open(base::StrCat(PathOf(id), ".part"),
                                        OpenMode::kCreateNew));
  return std::make_unique<Writer>(this, id, std::move(file), 0, false);
}

absl::StatusOr<std::unique_ptr<BlobWriter>> FileBlobStore::Resume(
    std::string_view name, uint64_t size) {
  ASSIGN_OR_RETURN(const uint64_t id, ParseId(name));
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   options_.kv->Get(RowKey(kSuspended, id)));
  if (!row) return NoSuchBlob("resume", id);
  const std::string part = base::StrCat(PathOf(id), ".part");
  absl::StatusOr<std::unique_ptr<File>> file =
      options_.files->Open(part, OpenMode::kAppend);
  if (absl::IsNotFound(file.status())) {
    // It was committed, and the reference never came.
    RETURN_IF_ERROR(options_.files->Rename(PathOf(id), part));
    file = options_.files->Open(part, OpenMode::kAppend);
  }
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const uint64_t has, (*file)->Size());
  if (has < size) {
    return absl::DataLossError(base::StrCat("resume blob '", name, "': ", has,
                                            " bytes are there of ", size));
  }
  if (has > size) RETURN_IF_ERROR((*file)->Truncate(size));
  return std::make_unique<Writer>(this, id, *std::move(file), size, true);
}

absl::StatusOr<std::string> FileBlobStore::Suspend(
    std::unique_ptr<BlobWriter> writer) {
  return static_cast<Writer&>(*writer).Park();
}

absl::StatusOr<BlobStore::Opened> FileBlobStore::Open(const BlobId& id) {
  ASSIGN_OR_RETURN(const uint64_t number, ParseId(id));
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   options_.files->Open(PathOf(number), OpenMode::kRead));
  Opened opened;
  ASSIGN_OR_RETURN(opened.size, file->Size());
  ASSIGN_OR_RETURN(opened.fd, file->Descriptor());
  return opened;
}

absl::Status FileBlobStore::AddReference(KvTransaction& txn, const BlobId& id) {
  ASSIGN_OR_RETURN(const uint64_t number, ParseId(id));
  const std::string key = RowKey(kReference, number);
  ASSIGN_OR_RETURN(const std::optional<std::string> row, txn.GetForUpdate(key));
  if (row) {
    ASSIGN_OR_RETURN(const uint64_t count, ParseCount(*row));
    return txn.Put(key, base::StrCat(count + 1));
  }
  for (std::string_view table : {kIntent, kSuspended}) {
    const std::string first = RowKey(table, number);
    ASSIGN_OR_RETURN(const std::optional<std::string> held,
                     txn.GetForUpdate(first));
    if (!held) continue;
    RETURN_IF_ERROR(txn.Delete(first));
    return txn.Put(key, "1");
  }
  return NoSuchBlob("add reference to", number);
}

absl::Status FileBlobStore::DropReference(KvTransaction& txn,
                                          const BlobId& id) {
  ASSIGN_OR_RETURN(const uint64_t number, ParseId(id));
  const std::string key = RowKey(kReference, number);
  ASSIGN_OR_RETURN(const std::optional<std::string> row, txn.GetForUpdate(key));
  if (!row) return NoSuchBlob("drop reference to", number);
  ASSIGN_OR_RETURN(const uint64_t count, ParseCount(*row));
  if (count > 1) return txn.Put(key, base::StrCat(count - 1));
  RETURN_IF_ERROR(txn.Delete(key));
  return txn.Put(RowKey(kDead, number), "");
}

absl::Status FileBlobStore::KeepSuspended(KvTransaction& txn,
                                          std::string_view name) {
  ASSIGN_OR_RETURN(const uint64_t id, ParseId(name));
  const std::string key = RowKey(kSuspended, id);
  ASSIGN_OR_RETURN(const std::optional<std::string> row, txn.GetForUpdate(key));
  if (row) return absl::OkStatus();
  const std::string intent = RowKey(kIntent, id);
  ASSIGN_OR_RETURN(const std::optional<std::string> held,
                   txn.GetForUpdate(intent));
  if (!held) return NoSuchBlob("keep suspended", id);
  RETURN_IF_ERROR(txn.Delete(intent));
  return txn.Put(key, "");
}

absl::Status FileBlobStore::DropSuspended(KvTransaction& txn,
                                          std::string_view name) {
  ASSIGN_OR_RETURN(const uint64_t id, ParseId(name));
  const std::string key = RowKey(kSuspended, id);
  ASSIGN_OR_RETURN(const std::optional<std::string> row, txn.GetForUpdate(key));
  if (!row) return NoSuchBlob("drop suspended", id);
  RETURN_IF_ERROR(txn.Delete(key));
  return txn.Put(RowKey(kDead, id), "");
}

absl::StatusOr<std::vector<uint64_t>> FileBlobStore::IdsIn(
    std::string_view table, size_t limit) {
  std::vector<uint64_t> ids;
  bool parsed = true;
  RETURN_IF_ERROR(options_.kv->Snapshot()->Scan(
      KeyRange::Prefix(Key(table).str()),
      [&](std::string_view key, std::string_view) {
        KeyParser parser(key);
        (void)parser.Next();
        const std::optional<uint64_t> id = parser.NextInt();
        parsed = id.has_value();
        if (parsed) ids.push_back(*id);
        return parsed && ids.size() < limit;
      }));
  if (!parsed) return absl::DataLossError("read blob rows: malformed key");
  return ids;
}

absl::Status FileBlobStore::Remove(std::string_view table,
                                   const std::vector<uint64_t>& ids) {
  std::set<std::string> folders;
  for (uint64_t id : ids) {
    const std::string path = PathOf(id);
    for (const std::string& name : {path, base::StrCat(path, ".part")}) {
      RETURN_IF_ERROR(IgnoreMissing(options_.files->Unlink(name)));
    }
    // Also of those not there: an earlier unlink may not be durable.
    folders.insert(FolderOf(id));
  }
  for (const std::string& folder : folders) {
    RETURN_IF_ERROR(IgnoreMissing(syncs_.Sync(folder, "blob.removed")));
  }
  return options_.kv->Transact([&](KvTransaction& txn) -> absl::Status {
    for (uint64_t id : ids) RETURN_IF_ERROR(txn.Delete(RowKey(table, id)));
    return absl::OkStatus();
  });
}

absl::Status FileBlobStore::Collect() {
  // One at a time; who comes meanwhile leaves its work to the next.
  if (!collecting_.TryLock()) return absl::OkStatus();
  const absl::Status status = [this]() -> absl::Status {
    std::vector<uint64_t> forgotten;
    {
      absl::MutexLock lock(&forgotten_mutex_);
      forgotten.swap(forgotten_);
    }
    if (!forgotten.empty()) RETURN_IF_ERROR(Remove(kIntent, forgotten));
    while (true) {
      ASSIGN_OR_RETURN(const std::vector<uint64_t> dead,
                       IdsIn(kDead, kCollectAtOnce));
      if (dead.empty()) return absl::OkStatus();
      RETURN_IF_ERROR(Remove(kDead, dead));
    }
  }();
  collecting_.Unlock();
  return status;
}

absl::Status FileBlobStore::Discard(const BlobId& id) {
  ASSIGN_OR_RETURN(const uint64_t number, ParseId(id));
  ASSIGN_OR_RETURN(const std::optional<std::string> intent,
                   options_.kv->Get(RowKey(kIntent, number)));
  if (!intent) {
    return absl::FailedPreconditionError(
        base::StrCat("discard blob '", id, "': it has an owner"));
  }
  Forget(number);
  return absl::OkStatus();
}

void FileBlobStore::Forget(uint64_t id) {
  // The space is free at once; the row goes with the next Collect.
  const std::string path = PathOf(id);
  for (const std::string& name : {path, base::StrCat(path, ".part")}) {
    const absl::Status status = IgnoreMissing(options_.files->Unlink(name));
    if (!status.ok()) {
      base::Log(base::LogLevel::kWarn, "store", "unused blob not removed",
                {{"blob", IdText(id)}, {"error", status.ToString()}});
    }
  }
  absl::MutexLock lock(&forgotten_mutex_);
  forgotten_.push_back(id);
}

}  // namespace brume::store
