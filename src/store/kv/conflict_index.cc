#include "store/kv/conflict_index.h"

#include <algorithm>

namespace brume::store {

uint64_t ConflictIndex::Begin() {
  open_.insert(now_);
  return now_;
}

void ConflictIndex::End(uint64_t start) {
  open_.erase(open_.find(start));
  Trim();
}

bool ConflictIndex::Conflicts(uint64_t start,
                              const Footprint& footprint) const {
  for (const std::string& key : footprint.writes) {
    const auto marks = marks_.find(key);
    if (marks == marks_.end()) continue;
    if (std::max(marks->second.written, marks->second.read) > start) {
      return true;
    }
  }
  return std::any_of(footprint.reads.begin(), footprint.reads.end(),
                     [&](const std::string& key) {
                       const auto marks = marks_.find(key);
                       return marks != marks_.end() &&
                              marks->second.written > start;
                     });
}

void ConflictIndex::Add(const Footprint& footprint) {
  const uint64_t next = now_ + 1;
  for (const std::string& key : footprint.writes) {
    marks_[key].written = next;
    by_age_.emplace_back(next, key);
  }
  for (const std::string& key : footprint.reads) {
    marks_[key].read = next;
    by_age_.emplace_back(next, key);
  }
}

void ConflictIndex::Publish() {
  ++now_;
  Trim();
}

void ConflictIndex::Trim() {
  const uint64_t oldest = open_.empty() ? now_ : *open_.begin();
  while (!by_age_.empty() && by_age_.front().first <= oldest) {
    const auto marks = marks_.find(by_age_.front().second);
    if (marks != marks_.end() &&
        std::max(marks->second.written, marks->second.read) <= oldest) {
      marks_.erase(marks);
    }
    by_age_.pop_front();
  }
}

}  // namespace brume::store
