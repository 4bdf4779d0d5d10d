#include "services/logging/log_scan.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/key.h"

#include <absl/time/time.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace brume::services::logging {
namespace {

using google::logging::v2::LogEntry;

constexpr std::string_view kEntries = "log-entry";
constexpr std::string_view kNewestFirst = "log-entry-newest-first";
constexpr std::string_view kNames = "log-name";
// Rows one call looks at.
constexpr size_t kMaxRows = 200'000;

std::string_view TableOf(Order order) {
  return order == Order::kAscending ? kEntries : kNewestFirst;
}

// Nanoseconds since the epoch as an unsigned number that orders alike; times
// before 1970 count as its beginning.
uint64_t Stamp(absl::Time time) {
  if (time <= absl::UnixEpoch()) return 0;
  return static_cast<uint64_t>(std::max<int64_t>(
      0,
      absl::ToUnixNanos(std::min(time, absl::FromUnixSeconds(9'000'000'000)))));
}

uint64_t Stamp(const google::protobuf::Timestamp& time) {
  return Stamp(absl::FromUnixSeconds(time.seconds()) +
               absl::Nanoseconds(time.nanos()));
}

store::Key ProjectKey(Order order, std::string_view project) {
  return store::Key(TableOf(order)).Add(project);
}

store::Key& AddStamp(store::Key& key, Order order, uint64_t stamp) {
  return order == Order::kAscending ? key.AddInt(stamp)
                                    : key.AddIntDescending(stamp);
}

// What follows the project in an entry's key: (time, insertId, log name).
std::string Tail(Order order, const LogEntry& entry) {
  store::Key key("");
  const size_t empty = key.str().size();
  AddStamp(key, order, Stamp(entry.timestamp()))
      .Add(entry.insert_id())
      .Add(entry.log_name());
  return key.str().substr(empty);
}

}  // namespace

absl::Status PutEntry(store::KvTransaction& txn, std::string_view project,
                      const LogEntry& entry) {
  const std::string row = ProjectKey(Order::kAscending, project).str() +
                          Tail(Order::kAscending, entry);
  RETURN_IF_ERROR(txn.Put(row, entry.SerializeAsString()));
  return txn.Put(ProjectKey(Order::kDescending, project).str() +
                     Tail(Order::kDescending, entry),
                 row);
}

absl::Status PutLogName(store::KvTransaction& txn, std::string_view project,
                        std::string_view log_name) {
  const std::string row = store::Key(kNames).Add(project).Add(log_name).str();
  // Written once: writers of one log would otherwise conflict for nothing.
  ASSIGN_OR_RETURN(const auto known, txn.Get(row));
  return known ? absl::OkStatus() : txn.Put(row, log_name);
}

absl::StatusOr<ScanResult> ScanEntries(store::KvReader& reader,
                                       const std::vector<std::string>& projects,
                                       const query::Filter& filter, Order order,
                                       std::string_view after, size_t count) {
  const query::Filter::TimeRange times = filter.TimestampRange();
  struct Found {
    std::string tail;
    LogEntry entry;
  };
  std::vector<Found> found;
  // Where the scan of a project stopped early, nothing after is known.
  std::string horizon;
  bool more = false;
  for (const std::string& project : projects) {
    const std::string prefix = ProjectKey(order, project).str();
    store::KeyRange range = store::KeyRange::Prefix(prefix);
    store::Key first = ProjectKey(order, project);
    const bool ascending = order == Order::kAscending;
    const absl::Time begin = ascending ? times.from : times.to;
    if (begin != absl::InfinitePast() && begin != absl::InfiniteFuture()) {
      range.begin = AddStamp(first, order, Stamp(begin)).str();
    }
    if (!after.empty()) {
      // The position itself was given already: begin just behind it.
      range.begin = std::max(
          range.begin, base::StrCat(prefix, after, std::string_view("\0", 1)));
    }
    const absl::Time last = ascending ? times.to : times.from;
    if (last != absl::InfinitePast() && last != absl::InfiniteFuture()) {
      store::Key end = ProjectKey(order, project);
      // Both ends are included: up to the next nanosecond.
      const uint64_t stamp = Stamp(last);
      const uint64_t beyond =
          ascending ? stamp + 1 : (stamp == 0 ? 0 : stamp - 1);
      if (ascending || stamp > 0) {
        range.end = std::min(range.end, AddStamp(end, order, beyond).str());
      }
    }
    size_t rows = 0;
    size_t matched = 0;
    absl::Status status;
    RETURN_IF_ERROR(
        reader.Scan(range, [&](std::string_view key, std::string_view value) {
          const std::string_view tail = key.substr(prefix.size());
          if (matched > count || rows == kMaxRows) {
            const std::string stop(tail);
            if (horizon.empty() || stop < horizon) horizon = stop;
            more = true;
            return false;
          }
          ++rows;
          std::string bytes(value);
          if (!ascending) {
            absl::StatusOr<std::optional<std::string>> row = reader.Get(value);
            if (!row.ok()) {
              status = row.status();
              return false;
            }
            if (!*row) return true;
            bytes = **std::move(row);
          }
          LogEntry entry;
          if (!entry.ParseFromString(bytes)) {
            status = absl::DataLossError("a log entry's row is damaged");
            return false;
          }
          absl::StatusOr<bool> matches = filter.Matches(entry);
          if (!matches.ok()) {
            status = matches.status();
            return false;
          }
          if (!*matches) return true;
          ++matched;
          found.push_back({std::string(tail), std::move(entry)});
          return true;
        }));
    RETURN_IF_ERROR(status);
  }
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.tail < b.tail; });
  ScanResult result;
  for (Found& one : found) {
    if (!horizon.empty() && one.tail >= horizon) break;
    if (result.entries.size() == count) {
      more = true;
      break;
    }
    result.position = one.tail;
    result.entries.push_back(std::move(one.entry));
  }
  result.more = more;
  // Nothing matched before the bound: go on from there.
  if (more && result.entries.size() < count && !horizon.empty()) {
    result.position = horizon;
  }
  return result;
}

absl::Status ScanLogNames(store::KvReader& reader, std::string_view project,
                          std::string_view after, size_t count,
                          std::set<std::string>* names) {
  store::KeyRange range =
      store::KeyRange::Prefix(store::Key(kNames).Add(project).str());
  size_t added = 0;
  return reader.Scan(range, [&](std::string_view, std::string_view name) {
    if (name <= after) return true;
    names->emplace(name);
    return ++added < count;
  });
}

}  // namespace brume::services::logging
