#include "store/blob/directory_syncs.h"

namespace brume::store {

absl::Status DirectorySyncs::Sync(const std::string& path,
                                  std::string_view label) {
  mutex_.Lock();
  State& state = states_[path];
  const uint64_t ticket = state.begun + 1;
  while (state.ended < ticket) {
    if (state.running) {
      ended_.Wait(&mutex_);
      continue;
    }
    state.running = true;
    const uint64_t number = ++state.begun;
    mutex_.Unlock();
    const absl::Status status = files_->SyncDirectory(path, label);
    mutex_.Lock();
    state.running = false;
    state.ended = number;
    if (!status.ok()) {
      state.failed = number;
      state.failure = status;
    }
    ended_.SignalAll();
  }
  const absl::Status result =
      state.failed >= ticket ? state.failure : absl::OkStatus();
  mutex_.Unlock();
  return result;
}

}  // namespace brume::store
