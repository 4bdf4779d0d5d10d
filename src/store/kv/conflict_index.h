#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace brume::store {

// What one transaction did to keys, as far as others must care.
struct Footprint {
  std::set<std::string, std::less<>> reads;   // by GetForUpdate
  std::set<std::string, std::less<>> writes;  // put or deleted
};

// Optimistic concurrency control: finds the transactions that must run again.
// Two transactions that overlapped in time conflict when one wrote a key that
// the other wrote or read for update. Two readers for update do not disturb
// each other, so children of one parent are added side by side; but a reader
// for update that commits first does stop a writer of that key, which engines'
// own optimistic transactions (RocksDB's among them) let pass.
//
// Remembers only what committed while some transaction was open. Not
// thread-safe.
class ConflictIndex {
 public:
  // Opens a transaction; give the returned start to Conflicts and End.
  uint64_t Begin();
  void End(uint64_t start);

  bool Conflicts(uint64_t start, const Footprint& footprint) const;
  // Counts a commit that is under way; several may be. Until Publish, those who
  // begin cannot read what it wrote and may conflict with it.
  void Add(const Footprint& footprint);
  // What was added can be read now.
  void Publish();

  size_t size() const { return marks_.size(); }

 private:
  struct Marks {
    uint64_t written = 0;
    uint64_t read = 0;
  };

  void Trim();

  uint64_t now_ = 1;
  std::multiset<uint64_t> open_;
  std::map<std::string, Marks, std::less<>> marks_;
  std::deque<std::pair<uint64_t, std::string>> by_age_;
};

}  // namespace brume::store
