#pragma once

#include "base/clock.h"
#include "services/query/page_token.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/logging/v2/log_entry.pb.h>
#include <google/logging/v2/logging.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Cloud Logging v2: entries of projects, written and read back with filter and
// order. An entry's identity is (project, timestamp, insertId, log name): to
// write one again changes nothing more, so writers may repeat themselves.
namespace brume::services::logging {

// Thread-safe.
class LogStore {
 public:
  struct Project {
    std::string id;
    std::string number;
  };
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    const query::PageTokens* page_tokens = nullptr;
    // By id or number; NOT_FOUND when there is none.
    std::function<absl::StatusOr<Project>(std::string_view id_or_number)>
        find_project;
  };
  explicit LogStore(Options options) : options_(std::move(options)) {}

  // entries.write. Fields that an entry leaves out come from the request; a
  // missing timestamp is now, a missing insertId is made.
  absl::StatusOr<google::logging::v2::WriteLogEntriesResponse> Write(
      const google::logging::v2::WriteLogEntriesRequest& request);

  // Durable writes of entries that are whole (log_name, resource, timestamp,
  // insert_id), for services of this process.
  absl::Status Append(
      const Project& project,
      const std::vector<google::logging::v2::LogEntry>& entries);

  // entries.list. At most 1000 entries a page (50 by default). A page may be
  // shorter than asked, and have a next page, where a filter matches little.
  absl::StatusOr<google::logging::v2::ListLogEntriesResponse> List(
      const google::logging::v2::ListLogEntriesRequest& request);

  // logs.list: names of the logs with entries.
  absl::StatusOr<google::logging::v2::ListLogsResponse> ListLogs(
      const google::logging::v2::ListLogsRequest& request);

 private:
  absl::Status Check(const google::logging::v2::LogEntry& entry) const;

  const Options options_;
};

}  // namespace brume::services::logging
