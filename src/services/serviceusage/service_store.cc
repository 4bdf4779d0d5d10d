#include "services/serviceusage/service_store.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/longrunning/operations.h"
#include "services/serviceusage/catalogue.h"
#include "store/kv/key.h"

#include <absl/strings/str_split.h>
#include <google/rpc/error_details.pb.h>

#include <algorithm>
#include <set>

namespace brume::services::serviceusage {
namespace {

namespace v1 = google::api::serviceusage::v1;

constexpr std::string_view kEnabled = "enabled-service";
constexpr int kMaxBatch = 20;

std::string RowKey(std::string_view project, std::string_view service) {
  return store::Key(kEnabled).Add(project).Add(service).str();
}

std::vector<std::string> Needs(const CatalogueEntry& entry) {
  return absl::StrSplit(base::ToAbsl(entry.needs), ' ', absl::SkipEmpty());
}

// Google's answer for services that do not exist, told as one.
absl::Status NoSuchService(std::string_view services) {
  absl::Status status = absl::PermissionDeniedError(base::ToAbsl(base::StrCat(
      "Not found or permission denied for service(s): ", services, ".")));
  google::rpc::PreconditionFailure failure;
  auto& violation = *failure.add_violations();
  violation.set_type("googleapis.com");
  violation.set_subject("110002");
  return services::WithReason(services::WithDetail(std::move(status), failure),
                              "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
                              "serviceusage.googleapis.com",
                              {{"services", std::string(services)}});
}

struct Name {
  std::string project;
  std::string service;
};

// "projects/P/services/S".
absl::StatusOr<Name> ParseName(std::string_view name) {
  const std::vector<std::string> parts =
      absl::StrSplit(base::ToAbsl(name), '/');
  if (parts.size() != 4 || parts[0] != "projects" || parts[1].empty() ||
      parts[2] != "services" || parts[3].empty()) {
    return absl::InvalidArgumentError(base::ToAbsl(
        base::StrCat("Invalid resource name '", name,
                     "'; expected 'projects/{project}/services/{service}'.")));
  }
  return Name{parts[1], parts[3]};
}

// "projects/P".
absl::StatusOr<std::string> ParseParent(std::string_view parent) {
  const std::vector<std::string> parts =
      absl::StrSplit(base::ToAbsl(parent), '/');
  if (parts.size() != 2 || parts[0] != "projects" || parts[1].empty()) {
    return absl::InvalidArgumentError(base::ToAbsl(base::StrCat(
        "Invalid parent '", parent, "'; expected 'projects/{project}'.")));
  }
  return parts[1];
}

// The first reply, as Google's is: the work has begun. gcloud says "finished
// successfully" only of an operation that it had to ask for.
google::longrunning::Operation Begun(
    const google::longrunning::Operation& operation) {
  google::longrunning::Operation begun;
  begun.set_name(operation.name());
  return begun;
}

// Of work that was done before: done at once, and not to be asked for.
google::longrunning::Operation DoneBefore(
    const google::protobuf::Message& response) {
  google::longrunning::Operation operation;
  operation.set_name("operations/noop.DONE_OPERATION");
  operation.set_done(true);
  operation.mutable_response()->PackFrom(response);
  return operation;
}

v1::Service Show(const Project& project, const CatalogueEntry& entry,
                 bool enabled, bool full) {
  v1::Service service;
  service.set_parent(base::StrCat("projects/", project.number));
  service.set_name(base::StrCat(service.parent(), "/services/", entry.name));
  service.set_state(enabled ? v1::ENABLED : v1::DISABLED);
  v1::ServiceConfig& config = *service.mutable_config();
  config.set_name(std::string(entry.name));
  config.set_title(std::string(entry.title));
  if (full) {
    config.mutable_usage()->add_requirements(
        "serviceusage.googleapis.com/tos/cloud");
  }
  return service;
}

}  // namespace

absl::Status ServiceStore::EnableDefaults(store::KvTransaction& txn,
                                          const Project& project) const {
  for (const CatalogueEntry& entry : Catalogue()) {
    if (!entry.by_default) continue;
    RETURN_IF_ERROR(txn.Put(RowKey(project.number, entry.name), ""));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ServiceStore::IsEnabled(std::string_view project_number,
                                             std::string_view service) const {
  // What the catalogue does not have cannot be enabled, and needs not be.
  if (FindService(service) == nullptr) return true;
  ASSIGN_OR_RETURN(const auto row,
                   options_.kv->Get(RowKey(project_number, service)));
  return row.has_value();
}

// Enables a service and what it needs. `changed` tells whether any was off.
absl::Status ServiceStore::Switch(store::KvTransaction& txn,
                                  const Project& project,
                                  std::string_view service,
                                  bool* changed) const {
  std::vector<std::string> todo = {std::string(service)};
  std::set<std::string> seen;
  while (!todo.empty()) {
    const std::string name = todo.back();
    todo.pop_back();
    if (!seen.insert(name).second) continue;
    const CatalogueEntry* entry = FindService(name);
    if (entry == nullptr) continue;
    for (std::string& needed : Needs(*entry)) todo.push_back(std::move(needed));
    const std::string key = RowKey(project.number, name);
    ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(key));
    if (row) continue;
    *changed = true;
    RETURN_IF_ERROR(txn.Put(key, ""));
    if (options_.on_enabled) {
      RETURN_IF_ERROR(options_.on_enabled(txn, project, name));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<google::longrunning::Operation> ServiceStore::Enable(
    const v1::EnableServiceRequest& request) {
  ASSIGN_OR_RETURN(const Name name, ParseName(request.name()));
  google::longrunning::Operation operation;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const Project project,
                         options_.lock_project(txn, name.project));
        const CatalogueEntry* entry = FindService(name.service);
        if (entry == nullptr) return NoSuchService(name.service);
        bool changed = false;
        RETURN_IF_ERROR(Switch(txn, project, name.service, &changed));
        v1::EnableServiceResponse response;
        *response.mutable_service() = Show(project, *entry, true, true);
        v1::OperationMetadata metadata;
        metadata.add_resource_names(response.service().name());
        if (!changed) {
          operation = DoneBefore(response);
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(operation,
                         longrunning::Operations::PutDone(
                             txn,
                             base::StrCat("operations/acf.p2-", project.number,
                                          "-", base::RandomUuid()),
                             metadata, response));
        operation = Begun(operation);
        return absl::OkStatus();
      }));
  return operation;
}

absl::StatusOr<google::longrunning::Operation> ServiceStore::BatchEnable(
    const v1::BatchEnableServicesRequest& request) {
  ASSIGN_OR_RETURN(const std::string parent, ParseParent(request.parent()));
  if (request.service_ids().empty()) {
    return InvalidField("service_ids",
                        "At least one service must be specified.");
  }
  if (request.service_ids_size() > kMaxBatch) {
    return InvalidField("service_ids",
                        base::StrCat("Request should not contain more than ",
                                     kMaxBatch, " services."));
  }
  google::longrunning::Operation operation;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const Project project,
                         options_.lock_project(txn, parent));
        std::string unknown;
        for (const std::string& service : request.service_ids()) {
          if (FindService(service) == nullptr) {
            base::StrAppend(&unknown, unknown.empty() ? "" : ",", service);
          }
        }
        if (!unknown.empty()) return NoSuchService(unknown);
        v1::BatchEnableServicesResponse response;
        v1::OperationMetadata metadata;
        for (const std::string& service : request.service_ids()) {
          bool changed = false;
          RETURN_IF_ERROR(Switch(txn, project, service, &changed));
          *response.add_services() =
              Show(project, *FindService(service), true, true);
          metadata.add_resource_names(
              response.services(response.services_size() - 1).name());
        }
        ASSIGN_OR_RETURN(operation,
                         longrunning::Operations::PutDone(
                             txn,
                             base::StrCat("operations/acat.p2-", project.number,
                                          "-", base::RandomUuid()),
                             metadata, response));
        operation = Begun(operation);
        return absl::OkStatus();
      }));
  return operation;
}

absl::StatusOr<google::longrunning::Operation> ServiceStore::Disable(
    const v1::DisableServiceRequest& request) {
  ASSIGN_OR_RETURN(const Name name, ParseName(request.name()));
  google::longrunning::Operation operation;
  RETURN_IF_ERROR(options_.kv->Transact([&](store::KvTransaction& txn)
                                            -> absl::Status {
    ASSIGN_OR_RETURN(const Project project,
                     options_.lock_project(txn, name.project));
    const CatalogueEntry* entry = FindService(name.service);
    if (entry == nullptr) return NoSuchService(name.service);
    const auto enabled = [&](std::string_view service) -> absl::StatusOr<bool> {
      ASSIGN_OR_RETURN(const auto row,
                       txn.GetForUpdate(RowKey(project.number, service)));
      return row.has_value();
    };
    ASSIGN_OR_RETURN(const bool was_on, enabled(name.service));
    if (!was_on) {
      return services::WithReason(
          absl::FailedPreconditionError(base::ToAbsl(base::StrCat(
              "The service ", name.service, " is not enabled for project ",
              project.number, "."))),
          "SU_SERVICE_NOT_ENABLED", "serviceusage.googleapis.com",
          {{"service", name.service}});
    }
    // Everything enabled that needs it, through others too.
    std::vector<std::string> dependents;
    std::set<std::string> gone = {name.service};
    for (bool grown = true; grown;) {
      grown = false;
      for (const CatalogueEntry& other : Catalogue()) {
        if (gone.contains(std::string(other.name))) continue;
        const std::vector<std::string> needs = Needs(other);
        const bool depends =
            std::any_of(needs.begin(), needs.end(),
                        [&](const std::string& n) { return gone.contains(n); });
        if (!depends) continue;
        ASSIGN_OR_RETURN(const bool on, enabled(other.name));
        if (!on) continue;
        gone.insert(std::string(other.name));
        dependents.emplace_back(other.name);
        grown = true;
      }
    }
    if (!dependents.empty() && !request.disable_dependent_services()) {
      std::string list;
      for (const std::string& dependent : dependents) {
        base::StrAppend(&list, list.empty() ? "" : ",", dependent);
      }
      return services::WithReason(
          absl::FailedPreconditionError(base::ToAbsl(base::StrCat(
              "The service ", name.service,
              " is depended on by the following active service(s): ", list,
              "; Please specify disable_dependent_services=true if you want "
              "to proceed with disabling all services."))),
          "COMMON_SU_SERVICE_HAS_DEPENDENT_SERVICES",
          "serviceusage.googleapis.com", {{"dependentServices", list}});
    }
    for (const std::string& service : gone) {
      RETURN_IF_ERROR(txn.Delete(RowKey(project.number, service)));
    }
    v1::DisableServiceResponse response;
    *response.mutable_service() = Show(project, *entry, false, true);
    v1::OperationMetadata metadata;
    metadata.add_resource_names(response.service().name());
    ASSIGN_OR_RETURN(
        operation, longrunning::Operations::PutDone(
                       txn,
                       base::StrCat("operations/dacf.p2-", project.number, "-",
                                    base::RandomUuid()),
                       metadata, response));
    operation = Begun(operation);
    return absl::OkStatus();
  }));
  return operation;
}

absl::StatusOr<v1::Service> ServiceStore::Get(
    const v1::GetServiceRequest& request) const {
  ASSIGN_OR_RETURN(const Name name, ParseName(request.name()));
  ASSIGN_OR_RETURN(const Project project, options_.find_project(name.project));
  const CatalogueEntry* entry = FindService(name.service);
  if (entry == nullptr) return NoSuchService(name.service);
  ASSIGN_OR_RETURN(const bool on, IsEnabled(project.number, name.service));
  return Show(project, *entry, on, true);
}

absl::StatusOr<v1::BatchGetServicesResponse> ServiceStore::BatchGet(
    const v1::BatchGetServicesRequest& request) const {
  ASSIGN_OR_RETURN(const std::string parent, ParseParent(request.parent()));
  v1::BatchGetServicesResponse response;
  if (request.names_size() > 30) {
    return InvalidField("names",
                        "Request should not contain more than 30 services.");
  }
  for (const std::string& one : request.names()) {
    ASSIGN_OR_RETURN(const Name name, ParseName(one));
    if (name.project != parent) {
      return InvalidField(
          "names", base::StrCat("Service '", one, "' is not in the parent '",
                                request.parent(), "'."));
    }
    v1::GetServiceRequest get;
    get.set_name(one);
    ASSIGN_OR_RETURN(*response.add_services(), Get(get));
  }
  return response;
}

absl::StatusOr<v1::ListServicesResponse> ServiceStore::List(
    const v1::ListServicesRequest& request) const {
  ASSIGN_OR_RETURN(const std::string parent, ParseParent(request.parent()));
  ASSIGN_OR_RETURN(const Project project, options_.find_project(parent));
  const bool only_on = request.filter() == "state:ENABLED";
  const bool only_off = request.filter() == "state:DISABLED";
  if (!request.filter().empty() && !only_on && !only_off) {
    return InvalidField("filter",
                        base::StrCat("Invalid filter '", request.filter(),
                                     "'; the allowed filters are "
                                     "'state:ENABLED' and 'state:DISABLED'."));
  }
  if (request.page_size() < 0 || request.page_size() > 200) {
    return InvalidField("page_size",
                        "The page size must be between 0 and 200.");
  }
  const int wanted = request.page_size() == 0 ? 50 : request.page_size();
  std::string after;
  if (!request.page_token().empty()) {
    ASSIGN_OR_RETURN(after,
                     options_.page_tokens->Read(request, request.page_token()));
  }
  std::set<std::string> on;
  const std::string prefix = store::Key(kEnabled).Add(project.number).str();
  RETURN_IF_ERROR(options_.kv->Snapshot()->Scan(
      store::KeyRange::Prefix(prefix),
      [&](std::string_view key, std::string_view) {
        store::KeyParser parser(key);
        parser.Next();
        parser.Next();
        if (auto name = parser.Next()) on.insert(*std::move(name));
        return true;
      }));
  v1::ListServicesResponse response;
  std::string last;
  for (const CatalogueEntry& entry : Catalogue()) {
    if (entry.name <= after) continue;
    const bool enabled = on.contains(std::string(entry.name));
    if ((only_on && !enabled) || (only_off && enabled)) continue;
    if (response.services_size() == wanted) {
      response.set_next_page_token(options_.page_tokens->Make(request, last));
      break;
    }
    *response.add_services() = Show(project, entry, enabled, false);
    last = std::string(entry.name);
  }
  return response;
}

}  // namespace brume::services::serviceusage
