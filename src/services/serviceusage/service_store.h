#pragma once

#include "base/clock.h"
#include "services/query/page_token.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/api/serviceusage/v1/serviceusage.pb.h>
#include <google/longrunning/operations.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Service Usage v1: which services a project has enabled. Enabling and
// disabling are done at once; the first reply says only that they have begun,
// as Google's does, and the operation that it names is done.
namespace brume::services::serviceusage {

struct Project {
  std::string id;
  std::string number;
};

// Thread-safe.
class ServiceStore {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    const query::PageTokens* page_tokens = nullptr;
    // The project of an id or number, its row locked so that it is still there
    // when the transaction commits; the error for one that is not.
    std::function<absl::StatusOr<Project>(store::KvTransaction&,
                                          std::string_view id_or_number)>
        lock_project;
    // The same for reading.
    std::function<absl::StatusOr<Project>(std::string_view id_or_number)>
        find_project;
    // What other products do when a service is enabled (service agents); runs
    // in the enabling transaction, for services that were off.
    std::function<absl::Status(store::KvTransaction&, const Project&,
                               std::string_view service)>
        on_enabled;
  };
  explicit ServiceStore(Options options) : options_(std::move(options)) {}

  // A new project's default services, in the transaction that makes it.
  absl::Status EnableDefaults(store::KvTransaction& txn,
                              const Project& project) const;
  absl::StatusOr<bool> IsEnabled(std::string_view project_number,
                                 std::string_view service) const;

  absl::StatusOr<google::longrunning::Operation> Enable(
      const google::api::serviceusage::v1::EnableServiceRequest& request);
  absl::StatusOr<google::longrunning::Operation> BatchEnable(
      const google::api::serviceusage::v1::BatchEnableServicesRequest& request);
  // FAILED_PRECONDITION when enabled services need it and the request does not
  // say that they go too.
  absl::StatusOr<google::longrunning::Operation> Disable(
      const google::api::serviceusage::v1::DisableServiceRequest& request);
  absl::StatusOr<google::api::serviceusage::v1::Service> Get(
      const google::api::serviceusage::v1::GetServiceRequest& request) const;
  absl::StatusOr<google::api::serviceusage::v1::BatchGetServicesResponse>
  BatchGet(const google::api::serviceusage::v1::BatchGetServicesRequest&
               request) const;
  // Filters are "state:ENABLED" and "state:DISABLED".
  absl::StatusOr<google::api::serviceusage::v1::ListServicesResponse> List(
      const google::api::serviceusage::v1::ListServicesRequest& request) const;

 private:
  absl::Status Switch(store::KvTransaction& txn, const Project& project,
                      std::string_view service, bool* changed) const;

  const Options options_;
};

}  // namespace brume::services::serviceusage
