#include "services/storage/generations.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/key.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <optional>
#include <string>

namespace brume::services::storage {
namespace {

// How far the mark runs ahead, in microseconds.
constexpr int64_t kAhead = 5'000'000;

std::string MarkKey() { return store::Key("storage.generation").str(); }

}  // namespace

absl::StatusOr<std::unique_ptr<Generations>> Generations::Create(
    store::KvStore* kv, const base::Clock* clock) {
  ASSIGN_OR_RETURN(const std::optional<std::string> stored, kv->Get(MarkKey()));
  int64_t mark = 0;
  if (stored && !absl::SimpleAtoi(*stored, &mark)) {
    return absl::DataLossError("read generation mark: not a number");
  }
  return std::unique_ptr<Generations>(new Generations(kv, clock, mark));
}

absl::StatusOr<int64_t> Generations::Next() {
  absl::MutexLock lock(&mutex_);
  const int64_t next = std::max(absl::ToUnixMicros(clock_->Now()), last_ + 1);
  if (next > mark_) {
    const int64_t mark = next + kAhead;
    RETURN_IF_ERROR(kv_->Transact([mark](store::KvTransaction& txn) {
      return txn.Put(MarkKey(), base::StrCat(mark));
    }));
    mark_ = mark;
  }
  last_ = next;
  return next;
}

}  // namespace brume::services::storage
