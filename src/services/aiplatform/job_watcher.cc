#include "services/aiplatform/job_watcher.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/aiplatform/custom_jobs.h"
#include "services/aiplatform/job_log.h"
#include "services/aiplatform/job_rows.h"
#include "services/aiplatform/job_task.h"
#include "services/aiplatform/proto_time.h"

#include <google/rpc/code.pb.h>

#include <optional>

namespace brume::services::aiplatform {
namespace {

namespace v1 = google::cloud::aiplatform::v1;

struct Ending {
  v1::JobState state = v1::JOB_STATE_FAILED;
  int code = 0;
  std::string message;
};

// Vertex AI's words for the ways in which a replica ends.
Ending EndingOf(const JobRecord& record, const exec::TaskResult& result) {
  const absl::StatusOr<JobName> name = JobName::Parse(record.job().name());
  const std::string where = base::StrCat(
      " To find out more about why your job exited please check the logs: "
      "https://console.cloud.google.com/logs/viewer?project=",
      name->project, "&resource=ml_job%2Fjob_id%2F", name->id,
      "&advancedFilter=resource.type%3D%22ml_job%22%0A"
      "resource.labels.job_id%3D%22",
      name->id, "%22");
  switch (result.cause) {
    case exec::TaskResult::Cause::kExited:
      if (record.cancel_requested() && result.exit_code != 0) break;
      if (result.exit_code == 0) {
        return {v1::JOB_STATE_SUCCEEDED, google::rpc::OK, ""};
      }
      return {v1::JOB_STATE_FAILED, google::rpc::INVALID_ARGUMENT,
              base::StrCat("The replica workerpool0-0 exited with a non-zero "
                           "status of ",
                           result.exit_code, ".", where)};
    case exec::TaskResult::Cause::kOutOfMemory:
      return {v1::JOB_STATE_FAILED, google::rpc::RESOURCE_EXHAUSTED,
              base::StrCat("The replica workerpool0-0 ran out-of-memory and "
                           "exited with a non-zero status of 137(SIGKILL).",
                           where)};
    case exec::TaskResult::Cause::kStartFailed:
      return {v1::JOB_STATE_FAILED, google::rpc::INVALID_ARGUMENT,
              base::StrCat("The replica workerpool0-0 could not be started: ",
                           result.message)};
    case exec::TaskResult::Cause::kTimedOut:
      return {v1::JOB_STATE_FAILED, google::rpc::DEADLINE_EXCEEDED,
              "The job exceeded its timeout (scheduling.timeout) and was "
              "stopped."};
    case exec::TaskResult::Cause::kLost:
      return {v1::JOB_STATE_FAILED, google::rpc::INTERNAL,
              base::StrCat("Internal error occurred for the current attempt: ",
                           result.message)};
    case exec::TaskResult::Cause::kCancelled:
      break;
  }
  return {v1::JOB_STATE_CANCELLED, google::rpc::CANCELLED, "CANCELED"};
}

std::string_view ClosingLine(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_SUCCEEDED:
      return "Job completed successfully.";
    case v1::JOB_STATE_CANCELLED:
      return "Job is cancelled.";
    default:
      return "Job failed.";
  }
}

// What the service itself says of a job that waits for its program.
std::vector<std::string> OpeningLines(const JobRecord& record) {
  std::vector<std::string> lines = {"Waiting for job to be provisioned.",
                                    "Vertex AI is setting up this job."};
  const v1::WorkerPoolSpec& pool = record.job().job_spec().worker_pool_specs(0);
  const v1::MachineSpec& machine = pool.machine_spec();
  if (machine.accelerator_type() != v1::ACCELERATOR_TYPE_UNSPECIFIED) {
    lines.push_back(
        base::StrCat("Brume: this machine gives the job no ",
                     v1::AcceleratorType_Name(machine.accelerator_type()),
                     "; it runs on the CPU."));
  }
  for (const std::string& word : pool.container_spec().command()) {
    if (word.find("/gcs/") != std::string::npos) {
      lines.push_back(
          "Brume: /gcs is empty, buckets are not mounted in jobs; what reads "
          "it fails here.");
      break;
    }
  }
  return lines;
}

}  // namespace

JobWatcher::~JobWatcher() {
  ending_ = true;
  if (thread_.joinable()) thread_.join();
}

void JobWatcher::StartThread() {
  thread_ = std::thread([this] {
    while (!ending_) {
      if (const absl::Status status = Step(); !status.ok()) {
        base::Log(base::LogLevel::kError, "vertex", "cannot look after jobs",
                  {{"error", status.message()}});
      }
      // Short, so that destruction need not wait for a change.
      options_.executor->WaitForChange(absl::Now() + absl::Milliseconds(200));
    }
  });
}

absl::Status JobWatcher::Step() {
  ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                   ActiveJobs(*options_.kv->Snapshot()));
  for (const std::string& id : ids) {
    // One job's trouble is not the others'.
    if (const absl::Status status = Move(id); !status.ok()) {
      base::Log(base::LogLevel::kError, "vertex", "cannot move a job on",
                {{"job", id}, {"error", status.message()}});
    }
  }
  return absl::OkStatus();
}

absl::Status JobWatcher::CarryOutput(JobRecord* record) {
  ASSIGN_OR_RETURN(const JobName name, JobName::Parse(record->job().name()));
  while (true) {
    uint64_t position = record->output_position();
    absl::StatusOr<std::vector<exec::OutputLine>> lines =
        options_.executor->ReadOutput(name.id, &position);
    if (absl::IsNotFound(lines.status())) return absl::OkStatus();
    RETURN_IF_ERROR(lines.status());
    if (lines->empty()) return absl::OkStatus();
    std::vector<google::logging::v2::LogEntry> entries;
    uint64_t number = record->output_lines();
    for (const exec::OutputLine& line : *lines) {
      entries.push_back(OutputEntry(*record, line, number++));
    }
    RETURN_IF_ERROR(options_.write_log(*record, entries));
    // Only then is the output done with; after a crash in between the same
    // entries are written again, with the same ids.
    RETURN_IF_ERROR(
        options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
          ASSIGN_OR_RETURN(std::optional<JobRecord> row,
                           ReadJobForUpdate(txn, name.id));
          if (!row) return absl::OkStatus();
          row->set_output_position(position);
          row->set_output_lines(number);
          *record = *row;
          return WriteJob(txn, *row);
        }));
  }
}

absl::Status JobWatcher::Move(std::string_view id) {
  ASSIGN_OR_RETURN(std::optional<JobRecord> record,
                   ReadJob(*options_.kv->Snapshot(), id));
  if (!record) return absl::OkStatus();
  absl::StatusOr<exec::TaskStatus> task = options_.executor->Inspect(id);
  if (absl::IsNotFound(task.status()) && !HasEnded(record->job())) {
    if (record->cancel_requested()) {
      exec::TaskStatus cancelled;
      cancelled.state = exec::TaskState::kEnded;
      cancelled.result =
          exec::TaskResult{exec::TaskResult::Cause::kCancelled, 0, ""};
      task = cancelled;
    } else {
      const absl::Status started = options_.executor->Start(MakeTask(*record));
      if (!started.ok() && !absl::IsAlreadyExists(started)) {
        exec::TaskStatus failed;
        failed.state = exec::TaskState::kEnded;
        failed.result = exec::TaskResult{exec::TaskResult::Cause::kStartFailed,
                                         0, std::string(started.message())};
        task = failed;
      } else {
        return absl::OkStatus();
      }
    }
  }
  RETURN_IF_ERROR(task.status());
  if (record->cancel_requested() && task->state != exec::TaskState::kEnded) {
    // A crash may have come between the row and the request.
    RETURN_IF_ERROR(options_.executor->Stop(id, kStopGrace));
  }

  // Whether the program had ended before its output was read: then it is all.
  const bool ended = task->state == exec::TaskState::kEnded;
  RETURN_IF_ERROR(CarryOutput(&*record));

  const absl::Time now = options_.clock->Now();
  std::vector<google::logging::v2::LogEntry> said;
  const auto say = [&](std::string_view text, bool error, absl::Time time,
                       std::string_view key) {
    said.push_back(ServiceEntry(*record, text, error, time, key));
  };
  bool changed = false;
  JobRecord moved = *record;
  v1::CustomJob& job = *moved.mutable_job();
  if (!moved.opened()) {
    const absl::Time created =
        absl::FromUnixSeconds(job.create_time().seconds()) +
        absl::Nanoseconds(job.create_time().nanos());
    const std::vector<std::string> lines = OpeningLines(*record);
    for (size_t i = 0; i < lines.size(); ++i) {
      say(lines[i], false, created + absl::Microseconds(i),
          base::StrCat("opening-", i));
    }
    moved.set_opened(true);
    changed = true;
  }
  if (task->started && !job.has_start_time()) {
    *job.mutable_start_time() = ToProto(*task->started);
    if (job.state() == v1::JOB_STATE_PENDING) {
      job.set_state(v1::JOB_STATE_RUNNING);
    }
    say("Job is running.", false, *task->started, "running");
    changed = true;
  }
  if (ended && !HasEnded(job)) {
    const Ending ending = EndingOf(*record, *task->result);
    job.set_state(ending.state);
    *job.mutable_end_time() = ToProto(task->ended.value_or(now));
    if (ending.code != google::rpc::OK) {
      job.mutable_error()->set_code(ending.code);
      job.mutable_error()->set_message(ending.message);
      if (ending.state == v1::JOB_STATE_FAILED) {
        say(ending.message, true, now, "error");
      }
    }
    say(ClosingLine(ending.state), ending.state == v1::JOB_STATE_FAILED, now,
        "closing");
    changed = true;
  }
  if (!said.empty()) RETURN_IF_ERROR(options_.write_log(*record, said));
  const bool complete = HasEnded(job) && ended;
  if (!changed && !complete) return absl::OkStatus();
  return options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<JobRecord> row, ReadJobForUpdate(txn, id));
    if (!row) return absl::OkStatus();
    // A cancel may have come meanwhile: it yields to nothing but an end.
    if (row->cancel_requested() && !HasEnded(job)) {
      job.set_state(v1::JOB_STATE_CANCELLING);
    }
    *row->mutable_job() = job;
    *row->mutable_job()->mutable_update_time() = ToProto(now);
    row->set_opened(true);
    row->set_output_complete(complete);
    return WriteJob(txn, *row);
  });
}

}  // namespace brume::services::aiplatform
