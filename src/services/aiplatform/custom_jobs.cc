#include "services/aiplatform/custom_jobs.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/aiplatform/job_rows.h"
#include "services/aiplatform/job_task.h"
#include "services/aiplatform/job_validation.h"
#include "services/aiplatform/locations.h"
#include "services/aiplatform/proto_time.h"
#include "services/errors/errors.h"
#include "services/longrunning/operations.h"
#include "services/query/filter.h"

#include <absl/strings/str_split.h>
#include <google/cloud/aiplatform/v1/operation.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <vector>

namespace brume::services::aiplatform {
namespace {

namespace v1 = google::cloud::aiplatform::v1;

struct Location {
  CustomJobs::Project project;
  std::string name;
};

absl::StatusOr<Location> ParseParent(const CustomJobs::Options& options,
                                     std::string_view parent) {
  const std::vector<std::string> parts =
      absl::StrSplit(base::ToAbsl(parent), '/');
  if (parts.size() != 4 || parts[0] != "projects" || parts[1].empty() ||
      parts[2] != "locations") {
    return absl::InvalidArgumentError(
        base::ToAbsl(base::StrCat("Invalid resource name: \"", parent, "\".")));
  }
  if (!IsLocation(parts[3])) {
    return absl::InvalidArgumentError(base::ToAbsl(
        base::StrCat("Unsupported region for Vertex AI, \"", parts[3], "\".")));
  }
  ASSIGN_OR_RETURN(CustomJobs::Project project, options.find_project(parts[1]));
  return Location{std::move(project), parts[3]};
}

absl::Status NoSuchJob(std::string_view name) {
  return absl::NotFoundError(
      base::ToAbsl(base::StrCat("The CustomJob does not exist. (", name, ")")));
}

// A job of another project or place is no job of this name.
absl::StatusOr<JobName> Canonical(const CustomJobs::Options& options,
                                  std::string_view name) {
  ASSIGN_OR_RETURN(JobName parsed, JobName::Parse(name));
  ASSIGN_OR_RETURN(const CustomJobs::Project project,
                   options.find_project(parsed.project));
  parsed.project = project.number;
  return parsed;
}

absl::StatusOr<JobRecord> Found(absl::StatusOr<std::optional<JobRecord>> row,
                                const JobName& name) {
  RETURN_IF_ERROR(row.status());
  if (!*row || (*row)->job().name() != name.str()) {
    return NoSuchJob(name.str());
  }
  return **std::move(row);
}

std::string StateName(v1::JobState state) { return v1::JobState_Name(state); }

}  // namespace

absl::StatusOr<v1::CustomJob> CustomJobs::Create(
    const v1::CreateCustomJobRequest& request) {
  ASSIGN_OR_RETURN(const Location location,
                   ParseParent(options_, request.parent()));
  RETURN_IF_ERROR(ValidateCustomJob(request.custom_job()));
  std::string account = request.custom_job().job_spec().service_account();
  if (account.empty()) {
    RETURN_IF_ERROR(options_.ensure_agents(location.project));
    account = base::StrCat("service-", location.project.number,
                           "@gcp-sa-aiplatform-cc.iam.gserviceaccount.com");
  } else {
    ASSIGN_OR_RETURN(const bool exists,
                     options_.account_exists(location.project, account));
    if (!exists) {
      return absl::PermissionDeniedError(base::ToAbsl(base::StrCat(
          "You do not have permission to act as service_account: ", account,
          ". (or it may not exist)")));
    }
  }
  if (options_.executor == nullptr) {
    return absl::FailedPreconditionError(base::ToAbsl(base::StrCat(
        "Brume cannot run jobs on this machine: ", options_.no_executor)));
  }
  JobRecord record;
  record.set_project_id(location.project.id);
  record.set_account(account);
  v1::CustomJob& job = *record.mutable_job();
  job = request.custom_job();
  for (const char* output_only :
       {"start_time", "end_time", "error", "web_access_uris", "satisfies_pzs",
        "satisfies_pzi"}) {
    job.GetReflection()->ClearField(
        &job, job.GetDescriptor()->FindFieldByName(output_only));
  }
  // Vertex AI shows the disk and the count that a pool did not name.
  for (v1::WorkerPoolSpec& pool :
       *job.mutable_job_spec()->mutable_worker_pool_specs()) {
    if (pool.task_case() == v1::WorkerPoolSpec::TASK_NOT_SET) continue;
    if (pool.replica_count() == 0) pool.set_replica_count(1);
    if (pool.disk_spec().boot_disk_type().empty()) {
      pool.mutable_disk_spec()->set_boot_disk_type("pd-ssd");
    }
    if (pool.disk_spec().boot_disk_size_gb() == 0) {
      pool.mutable_disk_spec()->set_boot_disk_size_gb(100);
    }
  }
  const JobName name{location.project.number, location.name,
                     base::RandomDigits(19)};
  job.set_name(name.str());
  job.set_state(v1::JOB_STATE_PENDING);
  *job.mutable_create_time() = ToProto(options_.clock->Now());
  *job.mutable_update_time() = job.create_time();
  RETURN_IF_ERROR(options_.kv->Transact(
      [&](store::KvTransaction& txn) { return WriteJob(txn, record); }));
  // A crash between the two is mended by the watcher: an active job without a
  // task is started. An error here is told by the watcher too.
  (void)options_.executor->Start(MakeTask(record));
  return job;
}

absl::StatusOr<v1::CustomJob> CustomJobs::Get(
    const v1::GetCustomJobRequest& request) {
  ASSIGN_OR_RETURN(const JobName name, Canonical(options_, request.name()));
  ASSIGN_OR_RETURN(const JobRecord record,
                   Found(ReadJob(*options_.kv->Snapshot(), name.id), name));
  return record.job();
}

absl::StatusOr<v1::ListCustomJobsResponse> CustomJobs::List(
    const v1::ListCustomJobsRequest& request) {
  ASSIGN_OR_RETURN(const Location location,
                   ParseParent(options_, request.parent()));
  if (request.page_size() < 0) {
    return InvalidField("page_size", "The page size must not be negative.");
  }
  ASSIGN_OR_RETURN(
      const query::Filter filter,
      query::Filter::Parse(request.filter(), query::Dialect::kAip160));
  RETURN_IF_ERROR(filter.Matches(v1::CustomJob()).status());
  const int wanted =
      request.page_size() == 0 ? 100 : std::min<int>(request.page_size(), 1000);
  std::string after;
  if (!request.page_token().empty()) {
    ASSIGN_OR_RETURN(after,
                     options_.page_tokens->Read(request, request.page_token()));
  }
  v1::ListCustomJobsResponse response;
  std::string last;
  absl::Status status;
  RETURN_IF_ERROR(
      ScanJobs(*options_.kv->Snapshot(), location.project.number, location.name,
               after, [&](const JobRecord& record, std::string_view position) {
                 absl::StatusOr<bool> matches = filter.Matches(record.job());
                 if (!matches.ok()) {
                   status = matches.status();
                   return false;
                 }
                 if (!*matches) return true;
                 if (response.custom_jobs_size() == wanted) {
                   response.set_next_page_token(
                       options_.page_tokens->Make(request, last));
                   return false;
                 }
                 v1::CustomJob& job = *response.add_custom_jobs();
                 job = record.job();
                 if (!request.read_mask().paths().empty()) {
                   google::protobuf::util::FieldMaskUtil::TrimMessage(
                       request.read_mask(), &job);
                 }
                 last = std::string(position);
                 return true;
               }));
  RETURN_IF_ERROR(status);
  return response;
}

absl::Status CustomJobs::Cancel(const v1::CancelCustomJobRequest& request) {
  ASSIGN_OR_RETURN(const JobName name, Canonical(options_, request.name()));
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(JobRecord record,
                         Found(ReadJobForUpdate(txn, name.id), name));
        v1::CustomJob& job = *record.mutable_job();
        if (HasEnded(job)) {
          return absl::FailedPreconditionError(base::ToAbsl(base::StrCat(
              "CustomJob `", name.str(), "` is in state `",
              StateName(job.state()), "` and cannot be cancelled.")));
        }
        record.set_cancel_requested(true);
        job.set_state(v1::JOB_STATE_CANCELLING);
        *job.mutable_update_time() = ToProto(options_.clock->Now());
        return WriteJob(txn, record);
      }));
  if (options_.executor == nullptr) return absl::OkStatus();
  const absl::Status stopped = options_.executor->Stop(name.id, kStopGrace);
  // Without a task the watcher ends the job.
  return absl::IsNotFound(stopped) ? absl::OkStatus() : stopped;
}

absl::StatusOr<google::longrunning::Operation> CustomJobs::Delete(
    const v1::DeleteCustomJobRequest& request) {
  ASSIGN_OR_RETURN(const JobName name, Canonical(options_, request.name()));
  v1::DeleteOperationMetadata metadata;
  *metadata.mutable_generic_metadata()->mutable_create_time() =
      ToProto(options_.clock->Now());
  *metadata.mutable_generic_metadata()->mutable_update_time() =
      metadata.generic_metadata().create_time();
  const std::string operation_name =
      base::StrCat("projects/", name.project, "/locations/", name.location,
                   "/operations/", base::RandomDigits(19));
  google::longrunning::Operation operation;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const JobRecord record,
                         Found(ReadJobForUpdate(txn, name.id), name));
        if (!HasEnded(record.job())) {
          return absl::FailedPreconditionError(base::ToAbsl(
              base::StrCat("CustomJob `", name.str(), "` is in state `",
                           StateName(record.job().state()),
                           "` and cannot be deleted; cancel it first.")));
        }
        RETURN_IF_ERROR(EraseJob(txn, record));
        ASSIGN_OR_RETURN(operation, longrunning::Operations::PutDone(
                                        txn, operation_name, metadata,
                                        google::protobuf::Empty()));
        return absl::OkStatus();
      }));
  if (options_.executor != nullptr) {
    // What is left of the task is only space; the watcher retries nothing.
    (void)options_.executor->Remove(name.id);
  }
  return operation;
}

}  // namespace brume::services::aiplatform
