#include "store/kv/buffered_transaction.h"

#include "base/status_macros.h"

namespace brume::store {

absl::StatusOr<std::optional<std::string>> BufferedTransaction::Get(
    std::string_view key) {
  if (auto own = writes_.find(key); own != writes_.end()) return own->second;
  return view_->Get(key);
}

absl::StatusOr<std::optional<std::string>> BufferedTransaction::GetForUpdate(
    std::string_view key) {
  footprint_.reads.emplace(key);
  return Get(key);
}

absl::Status BufferedTransaction::Put(std::string_view key,
                                      std::string_view value) {
  footprint_.writes.emplace(key);
  writes_.insert_or_assign(std::string(key), std::string(value));
  return absl::OkStatus();
}

absl::Status BufferedTransaction::Delete(std::string_view key) {
  footprint_.writes.emplace(key);
  writes_.insert_or_assign(std::string(key), std::nullopt);
  return absl::OkStatus();
}

absl::Status BufferedTransaction::Scan(
    const KeyRange& range,
    absl::FunctionRef<bool(std::string_view, std::string_view)> visit) {
  // Own writes are looked up anew at each step: `visit` may add to them.
  std::string position = range.begin;
  bool inclusive = true;
  bool stopped = false;
  // Visits own rows from the position up to `end` (exclusive; empty: no end).
  const auto visit_own = [&](std::string_view end, bool bounded) {
    while (!stopped) {
      const auto own = inclusive ? writes_.lower_bound(position)
                                 : writes_.upper_bound(position);
      if (own == writes_.end() || (bounded && own->first >= end)) return;
      position = own->first;
      inclusive = false;
      if (!own->second) continue;
      const std::string value = *own->second;
      stopped = !visit(position, value);
    }
  };
  RETURN_IF_ERROR(
      view_->Scan(range, [&](std::string_view key, std::string_view value) {
        visit_own(key, true);
        if (stopped) return false;
        // A row that we wrote ourselves is visited as ours.
        if (writes_.find(key) != writes_.end()) return true;
        position = std::string(key);
        inclusive = false;
        stopped = !visit(key, value);
        return !stopped;
      }));
  visit_own(range.end, !range.end.empty());
  return absl::OkStatus();
}

}  // namespace brume::store
