#include "services/aiplatform/job_validation.h"

#include "base/str_cat.h"
#include "services/aiplatform/locations.h"
#include "services/errors/errors.h"

#include <absl/strings/match.h>
#include <google/rpc/error_details.pb.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brume::services::aiplatform {
namespace {

namespace v1 = google::cloud::aiplatform::v1;

constexpr std::string_view kRequired = "Required field is not set.";

class Faults {
 public:
  void Add(std::string field, std::string message) {
    found_.emplace_back(std::move(field), std::move(message));
  }

  absl::Status ToStatus() const {
    if (found_.empty()) return absl::OkStatus();
    std::string text = "List of found errors:\t";
    google::rpc::BadRequest bad;
    for (size_t i = 0; i < found_.size(); ++i) {
      base::StrAppend(&text, i + 1, ".Field: ", found_[i].first,
                      "; Message: ", found_[i].second, "\t");
      auto& violation = *bad.add_field_violations();
      violation.set_field(found_[i].first);
      violation.set_description(found_[i].second);
    }
    return services::WithDetail(absl::InvalidArgumentError(text), bad);
  }

 private:
  std::vector<std::pair<std::string, std::string>> found_;
};

bool IsGcsUri(std::string_view uri) {
  constexpr std::string_view kScheme = "gs://";
  return uri.size() > kScheme.size() &&
         uri.substr(0, kScheme.size()) == kScheme && uri[kScheme.size()] != '/';
}

template <typename Env>
void CheckEnv(const Env& env, const std::string& field, Faults* faults) {
  std::set<std::string> seen;
  for (int i = 0; i < env.size(); ++i) {
    const std::string at = base::StrCat(field, ".env[", i, "].name");
    if (env[i].name().empty()) {
      faults->Add(at, std::string(kRequired));
    } else if (env[i].name().find('=') != std::string::npos ||
               env[i].name().find('\0') != std::string::npos) {
      faults->Add(at, base::StrCat("\"", env[i].name(),
                                   "\" is not a valid environment variable "
                                   "name."));
    } else if (!seen.insert(env[i].name()).second) {
      faults->Add(at, base::StrCat("Duplicate environment variable \"",
                                   env[i].name(), "\"."));
    }
  }
}

void CheckMachine(const v1::MachineSpec& machine, const std::string& field,
                  Faults* faults) {
  if (machine.machine_type().empty()) {
    faults->Add(base::StrCat(field, ".machine_type"), std::string(kRequired));
  } else if (!IsMachineType(machine.machine_type())) {
    faults->Add(base::StrCat(field, ".machine_type"),
                base::StrCat("Machine type \"", machine.machine_type(),
                             "\" is not supported."));
  }
  const bool type =
      machine.accelerator_type() != v1::ACCELERATOR_TYPE_UNSPECIFIED;
  if (type && machine.accelerator_count() <= 0) {
    faults->Add(base::StrCat(field, ".accelerator_count"),
                "accelerator_count must be greater than 0 when "
                "accelerator_type is set.");
  }
  if (!type && machine.accelerator_count() > 0) {
    faults->Add(base::StrCat(field, ".accelerator_type"),
                std::string(kRequired));
  }
}

void CheckTask(const v1::WorkerPoolSpec& pool, const std::string& field,
               Faults* faults) {
  switch (pool.task_case()) {
    case v1::WorkerPoolSpec::kContainerSpec:
      if (pool.container_spec().image_uri().empty()) {
        faults->Add(base::StrCat(field, ".container_spec.image_uri"),
                    std::string(kRequired));
      }
      CheckEnv(pool.container_spec().env(),
               base::StrCat(field, ".container_spec"), faults);
      break;
    case v1::WorkerPoolSpec::kPythonPackageSpec: {
      const v1::PythonPackageSpec& spec = pool.python_package_spec();
      const std::string at = base::StrCat(field, ".python_package_spec");
      if (spec.executor_image_uri().empty()) {
        faults->Add(base::StrCat(at, ".executor_image_uri"),
                    std::string(kRequired));
      }
      if (spec.python_module().empty()) {
        faults->Add(base::StrCat(at, ".python_module"), std::string(kRequired));
      }
      if (spec.package_uris().empty()) {
        faults->Add(base::StrCat(at, ".package_uris"), std::string(kRequired));
      }
      if (spec.package_uris_size() > 100) {
        faults->Add(base::StrCat(at, ".package_uris"),
                    "The maximum number of package URIs is 100.");
      }
      for (int i = 0; i < spec.package_uris_size(); ++i) {
        if (!IsGcsUri(spec.package_uris(i))) {
          faults->Add(base::StrCat(at, ".package_uris[", i, "]"),
                      base::StrCat("\"", spec.package_uris(i),
                                   "\" is not a valid Cloud Storage URI; it "
                                   "must begin with \"gs://\"."));
        }
      }
      CheckEnv(spec.env(), at, faults);
      break;
    }
    default:
      faults->Add(field,
                  "Exactly one of container_spec and python_package_spec must "
                  "be set.");
  }
}

// The SDK sends an unused pool in the middle as {}.
bool IsEmptyPool(const v1::WorkerPoolSpec& pool) {
  return pool.task_case() == v1::WorkerPoolSpec::TASK_NOT_SET &&
         !pool.has_machine_spec() && pool.replica_count() == 0;
}

}  // namespace

absl::Status ValidateCustomJob(const v1::CustomJob& job) {
  Faults faults;
  if (job.display_name().empty()) {
    faults.Add("custom_job.display_name", std::string(kRequired));
  } else if (job.display_name().size() > 128) {
    faults.Add("custom_job.display_name",
               "The display name must be at most 128 characters long.");
  }
  const v1::CustomJobSpec& spec = job.job_spec();
  if (spec.worker_pool_specs().empty()) {
    faults.Add("job_spec.worker_pool_specs", std::string(kRequired));
  }
  int64_t replicas = 0;
  for (int i = 0; i < spec.worker_pool_specs_size(); ++i) {
    const v1::WorkerPoolSpec& pool = spec.worker_pool_specs(i);
    const std::string field =
        base::StrCat("job_spec.worker_pool_specs[", i, "]");
    if (IsEmptyPool(pool) && i > 0) continue;
    CheckTask(pool, field, &faults);
    CheckMachine(pool.machine_spec(), base::StrCat(field, ".machine_spec"),
                 &faults);
    if (i == 0 && pool.replica_count() > 1) {
      faults.Add(base::StrCat(field, ".replica_count"),
                 "The replica count of the first worker pool must be 1.");
    }
    if (pool.replica_count() < 0) {
      faults.Add(base::StrCat(field, ".replica_count"),
                 "The replica count must not be negative.");
    }
    replicas += std::max<int64_t>(pool.replica_count(), i == 0 ? 1 : 0);
  }
  if (spec.has_base_output_directory() &&
      !IsGcsUri(spec.base_output_directory().output_uri_prefix())) {
    faults.Add("job_spec.base_output_directory.output_uri_prefix",
               "The output URI prefix must begin with \"gs://\".");
  }
  if (spec.scheduling().has_timeout() &&
      spec.scheduling().timeout().seconds() < 0) {
    faults.Add("job_spec.scheduling.timeout",
               "The timeout must not be negative.");
  }
  for (const auto& [key, value] : job.labels()) {
    if (key.empty() || key.size() > 63 || value.size() > 63) {
      faults.Add("custom_job.labels",
                 "Label keys and values must have at most 63 characters, and "
                 "keys at least one.");
      break;
    }
  }
  if (absl::Status status = faults.ToStatus(); !status.ok()) return status;
  if (replicas > 1) {
    return absl::InvalidArgumentError(base::ToAbsl(base::StrCat(
        "Brume runs jobs of one replica; this one asks for ", replicas,
        ". Leave the other worker pools out to rehearse it here.")));
  }
  if (!spec.persistent_resource_id().empty()) {
    return absl::InvalidArgumentError(
        "Brume has no persistent resources; leave persistent_resource_id out "
        "to rehearse the job here.");
  }
  return absl::OkStatus();
}

}  // namespace brume::services::aiplatform
