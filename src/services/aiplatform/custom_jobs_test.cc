#include "services/aiplatform/custom_jobs.h"

#include "services/aiplatform/job_rows.h"
#include "services/aiplatform/job_watcher.h"
#include "services/aiplatform/locations.h"
#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace brume::services::aiplatform {
namespace {

namespace v1 = google::cloud::aiplatform::v1;
using testing::ElementsAre;
using testing::HasSubstr;

// Tasks that end when the test says so.
class FakeExecutor final : public exec::Executor {
 public:
  struct Task {
    exec::TaskSpec spec;
    exec::TaskStatus status;
    std::vector<exec::OutputLine> output;
    bool stopped = false;
  };

  absl::Status Start(const exec::TaskSpec& spec) override {
    if (!start_error.ok()) return start_error;
    if (tasks.contains(spec.id)) return absl::AlreadyExistsError(spec.id);
    tasks[spec.id].spec = spec;
    return absl::OkStatus();
  }
  absl::StatusOr<exec::TaskStatus> Inspect(std::string_view id) override {
    const auto it = tasks.find(id);
    if (it == tasks.end()) return absl::NotFoundError("no such task");
    return it->second.status;
  }
  absl::Status Stop(std::string_view id, absl::Duration) override {
    const auto it = tasks.find(id);
    if (it == tasks.end()) return absl::NotFoundError("no such task");
    it->second.stopped = true;
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<exec::OutputLine>> ReadOutput(
      std::string_view id, uint64_t* position) override {
    const auto it = tasks.find(id);
    if (it == tasks.end()) return absl::NotFoundError("no such task");
    std::vector<exec::OutputLine> lines(
        it->second.output.begin() + static_cast<ptrdiff_t>(*position),
        it->second.output.end());
    *position = it->second.output.size();
    return lines;
  }
  void WaitForChange(absl::Time) override {}
  absl::StatusOr<std::vector<std::string>> List() override {
    std::vector<std::string> ids;
    for (const auto& [id, task] : tasks) ids.push_back(id);
    return ids;
  }
  absl::Status Remove(std::string_view id) override {
    tasks.erase(tasks.find(id));
    return absl::OkStatus();
  }

  absl::Status start_error;
  std::map<std::string, Task, std::less<>> tasks;
};

class CustomJobsTest : public testing::Test {
 protected:
  CustomJobsTest()
      : clock_(absl::FromUnixSeconds(1000)),
        tokens_(*query::PageTokens::Create(kv_)),
        jobs_(
            {.kv = &kv_,
             .clock = &clock_,
             .page_tokens = tokens_.get(),
             .executor = &executor_,
             .find_project = [](std::string_view name)
                 -> absl::StatusOr<CustomJobs::Project> {
               if (name == "p" || name == "12") {
                 return CustomJobs::Project{"p", "12"};
               }
               return absl::NotFoundError("no such project");
             },
             .account_exists = [](const CustomJobs::Project&,
                                  std::string_view email)
                 -> absl::StatusOr<bool> { return email == "a@p"; },
             .ensure_agents =
                 [](const CustomJobs::Project&) { return absl::OkStatus(); }}),
        watcher_({.kv = &kv_,
                  .clock = &clock_,
                  .executor = &executor_,
                  .write_log = [this](const JobRecord&, const auto& entries) {
                    for (const auto& entry : entries) {
                      log_[entry.insert_id()] = entry;
                    }
                    return absl::OkStatus();
                  }}) {}

  static v1::CreateCustomJobRequest Request() {
    v1::CreateCustomJobRequest request;
    request.set_parent("projects/p/locations/us-central1");
    v1::CustomJob& job = *request.mutable_custom_job();
    job.set_display_name("j");
    auto& pool = *job.mutable_job_spec()->add_worker_pool_specs();
    pool.mutable_machine_spec()->set_machine_type("n1-standard-4");
    pool.set_replica_count(1);
    pool.mutable_container_spec()->set_image_uri("img");
    return request;
  }

  v1::CustomJob Create(const v1::CreateCustomJobRequest& request = Request()) {
    const auto job = jobs_.Create(request);
    EXPECT_TRUE(job.ok()) << job.status();
    return job.value_or(v1::CustomJob());
  }

  v1::CustomJob Get(const std::string& name) {
    v1::GetCustomJobRequest request;
    request.set_name(name);
    return jobs_.Get(request).value_or(v1::CustomJob());
  }

  FakeExecutor::Task& TaskOf(const v1::CustomJob& job) {
    return executor_.tasks.at(JobName::Parse(job.name())->id);
  }

  void End(const v1::CustomJob& job, exec::TaskResult result) {
    exec::TaskStatus& status = TaskOf(job).status;
    status.state = exec::TaskState::kEnded;
    status.started = absl::FromUnixSeconds(1001);
    status.ended = absl::FromUnixSeconds(1002);
    status.result = std::move(result);
    EXPECT_TRUE(watcher_.Step().ok());
  }

  std::vector<std::string> Lines(std::string_view task) {
    std::vector<std::string> out;
    for (const auto& [id, entry] : log_) {
      if (entry.resource().labels().at("task_name") != task) continue;
      out.push_back(
          entry.has_json_payload()
              ? entry.json_payload().fields().at("message").string_value()
              : entry.text_payload());
    }
    return out;
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_;
  std::unique_ptr<query::PageTokens> tokens_;
  FakeExecutor executor_;
  std::map<std::string, google::logging::v2::LogEntry> log_;
  CustomJobs jobs_;
  JobWatcher watcher_;
};

TEST_F(CustomJobsTest, AJobRunsToItsEnd) {
  v1::CreateCustomJobRequest request = Request();
  request.mutable_custom_job()
      ->mutable_job_spec()
      ->mutable_base_output_directory()
      ->set_output_uri_prefix("gs://b/out");
  const v1::CustomJob job = Create(request);
  EXPECT_THAT(job.name(),
              testing::MatchesRegex(
                  "projects/12/locations/us-central1/customJobs/[0-9]{19}"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
  EXPECT_EQ(job.job_spec().worker_pool_specs(0).disk_spec().boot_disk_type(),
            "pd-ssd");
  const exec::TaskSpec& spec = TaskOf(job).spec;
  EXPECT_EQ(spec.account,
            "service-12@gcp-sa-aiplatform-cc.iam.gserviceaccount.com");
  EXPECT_EQ(spec.env.at("AIP_MODEL_DIR"), "gs://b/out/model/");
  EXPECT_EQ(spec.env.at("CLOUD_ML_PROJECT_ID"), "12");
  EXPECT_THAT(spec.env.at("CLUSTER_SPEC"), HasSubstr("\"workerpool0\""));
  EXPECT_FALSE(spec.command.has_value());

  TaskOf(job).status.state = exec::TaskState::kRunning;
  TaskOf(job).status.started = absl::FromUnixSeconds(1001);
  TaskOf(job).output = {{absl::FromUnixSeconds(1001), false, "epoch 1"},
                        {absl::FromUnixSeconds(1001), true, "bad \xff"}};
  ASSERT_TRUE(watcher_.Step().ok());
  EXPECT_EQ(Get(job.name()).state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Get(job.name()).start_time().seconds(), 1001);
  EXPECT_THAT(Lines("workerpool0-0"),
              ElementsAre("epoch 1", "bad \xEF\xBF\xBD"));

  TaskOf(job).output.push_back({absl::FromUnixSeconds(1002), false, "done"});
  End(job, {exec::TaskResult::Cause::kExited, 0, ""});
  EXPECT_EQ(Get(job.name()).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Get(job.name()).end_time().seconds(), 1002);
  EXPECT_FALSE(Get(job.name()).has_error());
  EXPECT_THAT(Lines("workerpool0-0"),
              ElementsAre("epoch 1", "bad \xEF\xBF\xBD", "done"));
  EXPECT_THAT(Lines("service"),
              testing::Contains("Job completed successfully."));
  EXPECT_TRUE(ActiveJobs(*kv_.Snapshot())->empty());
}

TEST_F(CustomJobsTest, FailuresSayWhy) {
  const v1::CustomJob failed = Create();
  End(failed, {exec::TaskResult::Cause::kExited, 3, ""});
  EXPECT_EQ(Get(failed.name()).state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(Get(failed.name()).error().code(), 3);
  EXPECT_THAT(Get(failed.name()).error().message(),
              HasSubstr("exited with a non-zero status of 3."));
  const v1::CustomJob starved = Create();
  End(starved, {exec::TaskResult::Cause::kOutOfMemory, 137, ""});
  EXPECT_THAT(Get(starved.name()).error().message(),
              HasSubstr("ran out-of-memory"));
  const v1::CustomJob late = Create();
  End(late, {exec::TaskResult::Cause::kTimedOut, 143, ""});
  EXPECT_EQ(Get(late.name()).error().code(), 4);
}

TEST_F(CustomJobsTest, CancelStopsTheProgram) {
  const v1::CustomJob job = Create();
  v1::CancelCustomJobRequest cancel;
  cancel.set_name(job.name());
  ASSERT_TRUE(jobs_.Cancel(cancel).ok());
  EXPECT_EQ(Get(job.name()).state(), v1::JOB_STATE_CANCELLING);
  EXPECT_TRUE(TaskOf(job).stopped);
  End(job, {exec::TaskResult::Cause::kCancelled, 143, ""});
  EXPECT_EQ(Get(job.name()).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(jobs_.Cancel(cancel).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(CustomJobsTest, AJobWhoseTaskWasNotStartedIsStarted) {
  executor_.start_error = absl::UnavailableError("crash");
  const v1::CustomJob job = Create();
  EXPECT_TRUE(executor_.tasks.empty());
  executor_.start_error = absl::OkStatus();
  ASSERT_TRUE(watcher_.Step().ok());
  EXPECT_EQ(executor_.tasks.size(), 1u);
  const v1::CustomJob other = Create();
  executor_.tasks.clear();
  executor_.start_error = absl::InvalidArgumentError("no such image");
  ASSERT_TRUE(watcher_.Step().ok());
  EXPECT_EQ(Get(other.name()).state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(Get(other.name()).error().message(), HasSubstr("no such image"));
}

TEST_F(CustomJobsTest, BadJobsAreRefusedWithTheirFields) {
  v1::CreateCustomJobRequest request = Request();
  request.mutable_custom_job()->clear_display_name();
  auto& pool = *request.mutable_custom_job()
                    ->mutable_job_spec()
                    ->mutable_worker_pool_specs(0);
  pool.mutable_machine_spec()->set_machine_type("n1-standard-5");
  pool.mutable_container_spec()->clear_image_uri();
  EXPECT_EQ(jobs_.Create(request).status().message(),
            "List of found errors:\t1.Field: custom_job.display_name; Message: "
            "Required field is not set.\t2.Field: "
            "job_spec.worker_pool_specs[0].container_spec.image_uri; Message: "
            "Required field is not set.\t3.Field: "
            "job_spec.worker_pool_specs[0].machine_spec.machine_type; Message: "
            "Machine type \"n1-standard-5\" is not supported.\t");
  request = Request();
  request.mutable_custom_job()->mutable_job_spec()->set_service_account("b@p");
  EXPECT_EQ(jobs_.Create(request).status().code(),
            absl::StatusCode::kPermissionDenied);
  request = Request();
  request.set_parent("projects/p/locations/mars");
  EXPECT_FALSE(jobs_.Create(request).ok());
  request = Request();
  request.mutable_custom_job()->mutable_job_spec()->add_worker_pool_specs();
  EXPECT_TRUE(jobs_.Create(request).ok());
}

TEST_F(CustomJobsTest, PackagesAreRunByTheirModule) {
  v1::CreateCustomJobRequest request = Request();
  auto& spec = *request.mutable_custom_job()
                    ->mutable_job_spec()
                    ->mutable_worker_pool_specs(0)
                    ->mutable_python_package_spec();
  spec.set_executor_image_uri("us-docker.pkg.dev/vertex-ai/training/x:latest");
  spec.add_package_uris("gs://b/p-0.1.tar.gz");
  spec.set_python_module("trainer.task");
  spec.add_args("--epochs=2");
  const exec::TaskSpec& task = TaskOf(Create(request)).spec;
  ASSERT_TRUE(task.command.has_value());
  EXPECT_EQ(task.command->at(0), "python3");
  EXPECT_THAT(
      std::vector<std::string>(task.command->begin() + 3, task.command->end()),
      ElementsAre("1", "gs://b/p-0.1.tar.gz", "trainer.task", "--epochs=2"));
  EXPECT_FALSE(task.args.has_value());
}

TEST_F(CustomJobsTest, ListsNewestFirstInPages) {
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(1));
    names.insert(names.begin(), Create().name());
  }
  v1::ListCustomJobsRequest request;
  request.set_parent("projects/12/locations/us-central1");
  request.set_page_size(2);
  auto page = jobs_.List(request);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->custom_jobs_size(), 2);
  EXPECT_EQ(page->custom_jobs(0).name(), names[0]);
  request.set_page_token(page->next_page_token());
  page = jobs_.List(request);
  ASSERT_EQ(page->custom_jobs_size(), 1);
  EXPECT_EQ(page->custom_jobs(0).name(), names[2]);
  EXPECT_EQ(page->next_page_token(), "");
  request.clear_page_token();
  request.set_filter("state=\"JOB_STATE_FAILED\"");
  EXPECT_EQ(jobs_.List(request)->custom_jobs_size(), 0);
  request.set_filter("nonsense=1");
  EXPECT_FALSE(jobs_.List(request).ok());
}

TEST_F(CustomJobsTest, OnlyEndedJobsAreDeleted) {
  const v1::CustomJob job = Create();
  v1::DeleteCustomJobRequest request;
  request.set_name(job.name());
  EXPECT_EQ(jobs_.Delete(request).status().code(),
            absl::StatusCode::kFailedPrecondition);
  End(job, {exec::TaskResult::Cause::kExited, 0, ""});
  EXPECT_TRUE(jobs_.Delete(request)->done());
  EXPECT_TRUE(absl::IsNotFound(jobs_.Delete(request).status()));
  EXPECT_TRUE(executor_.tasks.empty());
}

TEST(LocationsTest, MachineTypesAreOfKnownFamilies) {
  EXPECT_TRUE(IsMachineType("n1-standard-4"));
  EXPECT_TRUE(IsMachineType("a2-highgpu-1g"));
  EXPECT_TRUE(IsMachineType("g2-standard-12"));
  EXPECT_FALSE(IsMachineType("n1-standard-"));
  EXPECT_FALSE(IsMachineType("n1-standard-4,8"));
  EXPECT_FALSE(IsMachineType("a2-highgpu-1"));
  EXPECT_FALSE(IsMachineType(""));
}

}  // namespace
}  // namespace brume::services::aiplatform
