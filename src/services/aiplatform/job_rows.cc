#include "services/aiplatform/job_rows.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/key.h"

#include <absl/strings/str_split.h>

namespace brume::services::aiplatform {
namespace {

namespace v1 = google::cloud::aiplatform::v1;

constexpr std::string_view kJobs = "custom-job";
constexpr std::string_view kByTime = "custom-job-newest-first";
constexpr std::string_view kActive = "custom-job-active";

std::string JobKey(std::string_view id) {
  return store::Key(kJobs).Add(id).str();
}

std::string ActiveKey(std::string_view id) {
  return store::Key(kActive).Add(id).str();
}

std::string TimePrefix(std::string_view project, std::string_view location) {
  return store::Key(kByTime).Add(project).Add(location).str();
}

absl::StatusOr<std::string> TimeKey(const JobRecord& record) {
  ASSIGN_OR_RETURN(const JobName name, JobName::Parse(record.job().name()));
  const google::protobuf::Timestamp& time = record.job().create_time();
  const uint64_t nanos = static_cast<uint64_t>(time.seconds()) * 1'000'000'000 +
                         static_cast<uint64_t>(time.nanos());
  return store::Key(kByTime)
      .Add(name.project)
      .Add(name.location)
      .AddIntDescending(nanos)
      .Add(name.id)
      .str();
}

absl::StatusOr<std::optional<JobRecord>> Parsed(
    const std::optional<std::string>& row) {
  if (!row) return std::nullopt;
  JobRecord record;
  if (!record.ParseFromString(*row)) {
    return absl::DataLossError("a custom job's row is damaged");
  }
  return record;
}

}  // namespace

absl::StatusOr<JobName> JobName::Parse(std::string_view name) {
  const std::vector<std::string> parts =
      absl::StrSplit(base::ToAbsl(name), '/');
  if (parts.size() != 6 || parts[0] != "projects" || parts[1].empty() ||
      parts[2] != "locations" || parts[3].empty() || parts[4] != "customJobs" ||
      parts[5].empty()) {
    return absl::InvalidArgumentError(
        base::ToAbsl(base::StrCat("Invalid resource name: \"", name, "\".")));
  }
  return JobName{parts[1], parts[3], parts[5]};
}

std::string JobName::str() const {
  return base::StrCat("projects/", project, "/locations/", location,
                      "/customJobs/", id);
}

bool HasEnded(const v1::CustomJob& job) {
  return job.state() == v1::JOB_STATE_SUCCEEDED ||
         job.state() == v1::JOB_STATE_FAILED ||
         job.state() == v1::JOB_STATE_CANCELLED;
}

absl::StatusOr<std::optional<JobRecord>> ReadJob(store::KvReader& reader,
                                                 std::string_view id) {
  ASSIGN_OR_RETURN(const auto row, reader.Get(JobKey(id)));
  return Parsed(row);
}

absl::StatusOr<std::optional<JobRecord>> ReadJobForUpdate(
    store::KvTransaction& txn, std::string_view id) {
  ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(JobKey(id)));
  return Parsed(row);
}

absl::Status WriteJob(store::KvTransaction& txn, const JobRecord& record) {
  ASSIGN_OR_RETURN(const JobName name, JobName::Parse(record.job().name()));
  RETURN_IF_ERROR(txn.Put(JobKey(name.id), record.SerializeAsString()));
  ASSIGN_OR_RETURN(const std::string time, TimeKey(record));
  RETURN_IF_ERROR(txn.Put(time, name.id));
  // The executor's last output is read after the job has ended.
  if (HasEnded(record.job()) && record.output_complete()) {
    return txn.Delete(ActiveKey(name.id));
  }
  return txn.Put(ActiveKey(name.id), "");
}

absl::Status EraseJob(store::KvTransaction& txn, const JobRecord& record) {
  ASSIGN_OR_RETURN(const JobName name, JobName::Parse(record.job().name()));
  RETURN_IF_ERROR(txn.Delete(JobKey(name.id)));
  RETURN_IF_ERROR(txn.Delete(ActiveKey(name.id)));
  ASSIGN_OR_RETURN(const std::string time, TimeKey(record));
  return txn.Delete(time);
}

absl::Status ScanJobs(
    store::KvReader& reader, std::string_view project,
    std::string_view location, std::string_view position,
    absl::FunctionRef<bool(const JobRecord&, std::string_view position)>
        visit) {
  const std::string prefix = TimePrefix(project, location);
  store::KeyRange range = store::KeyRange::Prefix(prefix);
  if (!position.empty()) {
    range.begin = base::StrCat(prefix, position, std::string_view("\0", 1));
  }
  absl::Status status;
  RETURN_IF_ERROR(
      reader.Scan(range, [&](std::string_view key, std::string_view id) {
        absl::StatusOr<std::optional<JobRecord>> record = ReadJob(reader, id);
        if (!record.ok()) {
          status = record.status();
          return false;
        }
        if (!*record) return true;
        return visit(**record, key.substr(prefix.size()));
      }));
  return status;
}

absl::StatusOr<std::vector<std::string>> ActiveJobs(store::KvReader& reader) {
  std::vector<std::string> ids;
  RETURN_IF_ERROR(
      reader.Scan(store::KeyRange::Prefix(store::Key(kActive).str()),
                  [&](std::string_view key, std::string_view) {
                    store::KeyParser parser(key);
                    parser.Next();
                    if (std::optional<std::string> id = parser.Next()) {
                      ids.push_back(*std::move(id));
                    }
                    return true;
                  }));
  return ids;
}

}  // namespace brume::services::aiplatform
