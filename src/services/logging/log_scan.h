#pragma once

#include "services/query/filter.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/logging/v2/log_entry.pb.h>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// How entries lie in the store, and how a page of them is found. Each entry is
// two rows: one ordered by time, and an index of them in the opposite order,
// since scans only go forward.
namespace brume::services::logging {

enum class Order { kAscending, kDescending };

absl::Status PutEntry(store::KvTransaction& txn, std::string_view project,
                      const google::logging::v2::LogEntry& entry);
absl::Status PutLogName(store::KvTransaction& txn, std::string_view project,
                        std::string_view log_name);

struct ScanResult {
  std::vector<google::logging::v2::LogEntry> entries;
  bool more = false;
  std::string position;  // to go on after
};

// Up to `count` entries of the projects (by number) that match, merged in
// order, after `after` (a position, or empty). Looks at a bounded number of
// rows: then `more` is set though fewer were found.
absl::StatusOr<ScanResult> ScanEntries(store::KvReader& reader,
                                       const std::vector<std::string>& projects,
                                       const query::Filter& filter, Order order,
                                       std::string_view after, size_t count);

// Adds up to `count` log names of the project that follow `after`.
absl::Status ScanLogNames(store::KvReader& reader, std::string_view project,
                          std::string_view after, size_t count,
                          std::set<std::string>* names);

}  // namespace brume::services::logging
