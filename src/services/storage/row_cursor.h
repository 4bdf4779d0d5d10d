#pragma once

#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace brume::services::storage {

// Steps through a range of rows and can jump ahead. Reads in growing batches,
// so that a jump soon after another wastes little. Not thread-safe.
class RowCursor {
 public:
  RowCursor(store::KvReader* reader, store::KeyRange range)
      : reader_(reader), range_(std::move(range)) {}

  // The row at the cursor; nullptr at the end. Valid until the next call.
  absl::StatusOr<const store::KeyValue*> Peek();
  void Next();
  // Goes on at `key` or after it; never goes back.
  void SeekTo(std::string_view key);

 private:
  store::KvReader* const reader_;
  store::KeyRange range_;  // what was not read yet
  std::deque<store::KeyValue> batch_;
  size_t batch_size_ = 4;
  bool exhausted_ = false;
};

}  // namespace brume::services::storage
