#include "api/bindings/serviceusage.h"

namespace brume::api {

namespace v1 = google::api::serviceusage::v1;
using google::longrunning::Operation;

void AddServiceUsageRows(MethodTable& table,
                         services::serviceusage::ServiceStore& services) {
  table.Add(Row<v1::EnableServiceRequest, Operation>(
      "google.api.serviceusage.v1.ServiceUsage.EnableService",
      Access::Permission("serviceusage.services.enable", "name"),
      [&services](const Call&, const v1::EnableServiceRequest& request) {
        return services.Enable(request);
      }));
  table.Add(Row<v1::DisableServiceRequest, Operation>(
      "google.api.serviceusage.v1.ServiceUsage.DisableService",
      Access::Permission("serviceusage.services.disable", "name"),
      [&services](const Call&, const v1::DisableServiceRequest& request) {
        return services.Disable(request);
      }));
  table.Add(Row<v1::GetServiceRequest, v1::Service>(
      "google.api.serviceusage.v1.ServiceUsage.GetService",
      Access::Permission("serviceusage.services.get", "name"),
      [&services](const Call&, const v1::GetServiceRequest& request) {
        return services.Get(request);
      }));
  table.Add(Row<v1::ListServicesRequest, v1::ListServicesResponse>(
      "google.api.serviceusage.v1.ServiceUsage.ListServices",
      Access::Permission("serviceusage.services.list", "parent"),
      [&services](const Call&, const v1::ListServicesRequest& request) {
        return services.List(request);
      }));
  table.Add(Row<v1::BatchEnableServicesRequest, Operation>(
      "google.api.serviceusage.v1.ServiceUsage.BatchEnableServices",
      Access::Permission("serviceusage.services.enable", "parent"),
      [&services](const Call&, const v1::BatchEnableServicesRequest& request) {
        return services.BatchEnable(request);
      }));
  table.Add(Row<v1::BatchGetServicesRequest, v1::BatchGetServicesResponse>(
      "google.api.serviceusage.v1.ServiceUsage.BatchGetServices",
      Access::Permission("serviceusage.services.get", "parent"),
      [&services](const Call&, const v1::BatchGetServicesRequest& request) {
        return services.BatchGet(request);
      }));
}

}  // namespace brume::api
