#include "store/kv/memory_kv_store.h"

#include <thread>

namespace brume::store {
namespace {

constexpr int kMaxTries = 200;

// The smallest key after `key`.
std::string After(std::string_view key) {
  return std::string(key) + std::string(1, '\0');
}

}  // namespace

// One pinned version; released on destruction.
class MemoryKvStore::View final : public KvReader {
 public:
  explicit View(MemoryKvStore* store) : store_(store), version_(store->Pin()) {}
  ~View() override { store_->Unpin(version_); }

  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) override {
    return store_->GetAt(key, version_);
  }

  absl::Status Scan(const KeyRange& range,
                    absl::FunctionRef<bool(std::string_view, std::string_view)>
                        visit) override {
    std::string begin = range.begin;
    while (std::optional<KeyValue> row =
               store_->NextAt(begin, range.end, version_)) {
      if (!visit(row->key, row->value)) break;
      begin = After(row->key);
    }
    return absl::OkStatus();
  }

 private:
  MemoryKvStore* store_;
  uint64_t version_;
};

absl::Status MemoryKvStore::Transact(
    absl::FunctionRef<absl::Status(KvTransaction&)> body) {
  for (int attempt = 0; attempt < kMaxTries; ++attempt) {
    uint64_t start = 0;
    {
      absl::MutexLock lock(&mutex_);
      start = index_.Begin();
    }
    BufferedTransaction txn(std::make_unique<View>(this));
    const absl::Status status = body(txn);
    const bool committed = status.ok() && Commit(start, txn);
    {
      absl::MutexLock lock(&mutex_);
      index_.End(start);
    }
    if (!status.ok() || committed) return status;
    std::this_thread::yield();
  }
  return absl::AbortedError("commit transaction: too many conflicts; retry");
}

std::unique_ptr<KvReader> MemoryKvStore::Snapshot() {
  return std::make_unique<View>(this);
}

absl::StatusOr<std::optional<std::string>> MemoryKvStore::Get(
    std::string_view key) {
  return View(this).Get(key);
}

uint64_t MemoryKvStore::conflicts() const {
  absl::MutexLock lock(&mutex_);
  return conflicts_;
}

uint64_t MemoryKvStore::Pin() {
  absl::MutexLock lock(&mutex_);
  pinned_.insert(version_);
  return version_;
}

void MemoryKvStore::Unpin(uint64_t version) {
  absl::MutexLock lock(&mutex_);
  pinned_.erase(pinned_.find(version));
}

std::optional<std::string> MemoryKvStore::GetAt(std::string_view key,
                                                uint64_t version) const {
  absl::MutexLock lock(&mutex_);
  const auto row = rows_.find(key);
  if (row == rows_.end()) return std::nullopt;
  const auto newer = row->second.upper_bound(version);
  if (newer == row->second.begin()) return std::nullopt;
  return std::prev(newer)->second;
}

std::optional<KeyValue> MemoryKvStore::NextAt(std::string_view begin,
                                              std::string_view end,
                                              uint64_t version) const {
  absl::MutexLock lock(&mutex_);
  for (auto row = rows_.lower_bound(begin); row != rows_.end(); ++row) {
    if (!end.empty() && row->first >= end) break;
    const auto newer = row->second.upper_bound(version);
    if (newer == row->second.begin()) continue;
    if (const auto& value = std::prev(newer)->second) {
      return KeyValue{row->first, *value};
    }
  }
  return std::nullopt;
}

bool MemoryKvStore::Commit(uint64_t start, const BufferedTransaction& txn) {
  absl::MutexLock lock(&mutex_);
  if (index_.Conflicts(start, txn.footprint())) {
    ++conflicts_;
    return false;
  }
  if (txn.writes().empty()) return true;
  index_.Add(txn.footprint());
  index_.Publish();
  ++version_;
  const uint64_t oldest = *pinned_.begin();  // the caller's at the latest
  for (const auto& [key, value] : txn.writes()) {
    auto& versions = rows_[key];
    versions[version_] = value;
    const auto visible = versions.upper_bound(oldest);
    if (visible != versions.begin()) {
      versions.erase(versions.begin(), std::prev(visible));
    }
  }
  return true;
}

}  // namespace brume::store
