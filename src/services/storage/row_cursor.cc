#include "services/storage/row_cursor.h"

#include "base/status_macros.h"

#include <algorithm>

namespace brume::services::storage {
namespace {

constexpr size_t kLargestBatch = 256;

}  // namespace

absl::StatusOr<const store::KeyValue*> RowCursor::Peek() {
  if (batch_.empty() && !exhausted_) {
    RETURN_IF_ERROR(reader_->Scan(
        range_, [this](std::string_view key, std::string_view value) {
          batch_.push_back({std::string(key), std::string(value)});
          return batch_.size() < batch_size_;
        }));
    exhausted_ = batch_.size() < batch_size_;
    batch_size_ = std::min(batch_size_ * 4, kLargestBatch);
    if (!batch_.empty()) {
      // The least key after the last one.
      range_.begin = batch_.back().key + '\0';
    }
  }
  return batch_.empty() ? nullptr : &batch_.front();
}

void RowCursor::Next() { batch_.pop_front(); }

void RowCursor::SeekTo(std::string_view key) {
  while (!batch_.empty() && batch_.front().key < key) batch_.pop_front();
  if (!batch_.empty() || exhausted_) return;
  batch_size_ = 4;
  if (range_.begin < key) range_.begin = std::string(key);
}

}  // namespace brume::services::storage
