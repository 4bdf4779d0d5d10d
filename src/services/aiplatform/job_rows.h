#pragma once

#include "store/kv/kv_store.h"

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <brume/aiplatform/job_record.pb.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Custom jobs at rest: a row per job, an index that lists a location's jobs
// newest first, and a row for each job that has not ended.
namespace brume::services::aiplatform {

struct JobName {
  std::string project;  // number, in names of ours
  std::string location;
  std::string id;

  // INVALID_ARGUMENT when it is no job's name.
  static absl::StatusOr<JobName> Parse(std::string_view name);
  std::string str() const;
};

bool HasEnded(const google::cloud::aiplatform::v1::CustomJob& job);

// By id: job ids are unique in a cloud of ours.
absl::StatusOr<std::optional<JobRecord>> ReadJob(store::KvReader& reader,
                                                 std::string_view id);
absl::StatusOr<std::optional<JobRecord>> ReadJobForUpdate(
    store::KvTransaction& txn, std::string_view id);
// Writes every row of the job.
absl::Status WriteJob(store::KvTransaction& txn, const JobRecord& record);
absl::Status EraseJob(store::KvTransaction& txn, const JobRecord& record);

// Jobs of a location, newest first, after `position` (empty: from the first);
// `visit` gets each with its position and returns false to end.
absl::Status ScanJobs(
    store::KvReader& reader, std::string_view project,
    std::string_view location, std::string_view position,
    absl::FunctionRef<bool(const JobRecord&, std::string_view position)> visit);

// Ids of the jobs that have not ended.
absl::StatusOr<std::vector<std::string>> ActiveJobs(store::KvReader& reader);

}  // namespace brume::services::aiplatform
