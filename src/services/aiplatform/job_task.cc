#include "services/aiplatform/job_task.h"

#include "base/str_cat.h"
#include "services/aiplatform/job_rows.h"
#include "services/aiplatform/package_runner.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>

namespace brume::services::aiplatform {
namespace {

namespace v1 = google::cloud::aiplatform::v1;

google::protobuf::Value Text(std::string_view text) {
  google::protobuf::Value value;
  value.set_string_value(std::string(text));
  return value;
}

std::string Json(const google::protobuf::Message& message) {
  std::string out;
  // Struct always prints; an error would leave the variable empty.
  (void)google::protobuf::util::MessageToJsonString(message, &out).ok();
  return out;
}

google::protobuf::Value Object(
    std::initializer_list<std::pair<const char*, google::protobuf::Value>>
        fields) {
  google::protobuf::Value value;
  for (const auto& [name, field] : fields) {
    (*value.mutable_struct_value()->mutable_fields())[name] = field;
  }
  if (fields.size() == 0) value.mutable_struct_value();
  return value;
}

google::protobuf::Value List(const std::vector<std::string>& items) {
  google::protobuf::Value value;
  value.mutable_list_value();
  for (const std::string& item : items) {
    *value.mutable_list_value()->add_values() = Text(item);
  }
  return value;
}

// Of the one replica; CLUSTER_SPEC names it, so it must resolve in there.
std::string HostName(std::string_view id) {
  return base::StrCat("cmle-training-workerpool0-", id.substr(0, 10), "-0");
}

// Vertex AI's description of the job's replicas (…/training/distributed-
// training#cluster-variables). "job" is JSON within JSON.
std::string ClusterSpec(const v1::PythonPackageSpec* package,
                        std::string_view id) {
  google::protobuf::Value job = Object({});
  if (package != nullptr) {
    job = Object(
        {{"python_module", Text(package->python_module())},
         {"package_uris", List({package->package_uris().begin(),
                                package->package_uris().end()})},
         {"job_args", List({package->args().begin(), package->args().end()})}});
  }
  google::protobuf::Value index;
  index.set_number_value(0);
  const google::protobuf::Value spec = Object(
      {{"cluster",
        Object({{"workerpool0", List({base::StrCat(HostName(id), ":2222")})}})},
       {"environment", Text("cloud")},
       {"task", Object({{"type", Text("workerpool0")}, {"index", index}})},
       {"job", Text(Json(job))}});
  return Json(spec);
}

std::string WithSlash(std::string uri) {
  if (!uri.empty() && uri.back() != '/') uri += '/';
  return uri;
}

}  // namespace

exec::TaskSpec MakeTask(const JobRecord& record) {
  const v1::CustomJob& job = record.job();
  const v1::CustomJobSpec& spec = job.job_spec();
  const v1::WorkerPoolSpec& pool = spec.worker_pool_specs(0);
  const absl::StatusOr<JobName> name = JobName::Parse(job.name());

  exec::TaskSpec task;
  task.id = name->id;
  task.account = record.account();
  task.project = record.project_id();
  task.project_number = name->project;
  task.zone = base::StrCat(name->location, "-a");
  task.hostname = HostName(name->id);
  task.timeout = kDefaultTimeout;
  if (spec.scheduling().has_timeout() &&
      (spec.scheduling().timeout().seconds() > 0 ||
       spec.scheduling().timeout().nanos() > 0)) {
    task.timeout = absl::Seconds(spec.scheduling().timeout().seconds()) +
                   absl::Nanoseconds(spec.scheduling().timeout().nanos());
  }

  // The spec's own variables win over none of Vertex AI's: they are set last.
  const v1::PythonPackageSpec* package = nullptr;
  if (pool.has_container_spec()) {
    const v1::ContainerSpec& container = pool.container_spec();
    task.image = container.image_uri();
    if (!container.command().empty()) {
      task.command.emplace(container.command().begin(),
                           container.command().end());
    }
    if (!container.args().empty()) {
      task.args.emplace(container.args().begin(), container.args().end());
    }
    for (const v1::EnvVar& variable : container.env()) {
      task.env[variable.name()] = variable.value();
    }
  } else {
    package = &pool.python_package_spec();
    task.image = package->executor_image_uri();
    task.command = PackageRunnerCommand(
        {package->package_uris().begin(), package->package_uris().end()},
        package->python_module(),
        {package->args().begin(), package->args().end()});
    for (const v1::EnvVar& variable : package->env()) {
      task.env[variable.name()] = variable.value();
    }
  }
  if (spec.has_base_output_directory()) {
    const std::string base =
        WithSlash(spec.base_output_directory().output_uri_prefix());
    task.env["AIP_MODEL_DIR"] = base::StrCat(base, "model/");
    task.env["AIP_CHECKPOINT_DIR"] = base::StrCat(base, "checkpoints/");
    task.env["AIP_TENSORBOARD_LOG_DIR"] = base::StrCat(base, "logs/");
  }
  if (!spec.tensorboard().empty()) {
    task.env["AIP_TENSORBOARD_RESOURCE_NAME"] = spec.tensorboard();
  }
  task.env["CLOUD_ML_JOB_ID"] = name->id;
  task.env["CLOUD_ML_PROJECT_ID"] = name->project;
  task.env["CLOUD_ML_REGION"] = name->location;
  task.env["CLUSTER_SPEC"] = ClusterSpec(package, name->id);
  return task;
}

}  // namespace brume::services::aiplatform
