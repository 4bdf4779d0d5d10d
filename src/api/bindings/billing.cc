#include "api/bindings/billing.h"

namespace brume::api {

namespace v1 = google::cloud::billing::v1;

void AddBillingRows(MethodTable& table,
                    services::billing::BillingAccounts& billing) {
  table.Add(Row<v1::GetBillingAccountRequest, v1::BillingAccount>(
      "google.cloud.billing.v1.CloudBilling.GetBillingAccount",
      Access::Permissions({"billing.accounts.get"}, ""),
      [&billing](const Call&, const v1::GetBillingAccountRequest& request) {
        return billing.Get(request);
      }));
  table.Add(
      Row<v1::ListBillingAccountsRequest, v1::ListBillingAccountsResponse>(
          "google.cloud.billing.v1.CloudBilling.ListBillingAccounts",
          Access::None("the list holds what the caller may see"),
          [&billing](const Call&,
                     const v1::ListBillingAccountsRequest& request) {
            return billing.List(request);
          }));
  table.Add(Row<v1::ListProjectBillingInfoRequest,
                v1::ListProjectBillingInfoResponse>(
      "google.cloud.billing.v1.CloudBilling.ListProjectBillingInfo",
      Access::Permissions({"billing.resourceAssociations.list"}, ""),
      [&billing](const Call&,
                 const v1::ListProjectBillingInfoRequest& request) {
        return billing.ListProjects(request);
      }));
  table.Add(Row<v1::GetProjectBillingInfoRequest, v1::ProjectBillingInfo>(
      "google.cloud.billing.v1.CloudBilling.GetProjectBillingInfo",
      Access::Permission("resourcemanager.projects.get", "name"),
      [&billing](const Call&, const v1::GetProjectBillingInfoRequest& request) {
        return billing.GetProject(request);
      }));
  table.Add(Row<v1::UpdateProjectBillingInfoRequest, v1::ProjectBillingInfo>(
      "google.cloud.billing.v1.CloudBilling.UpdateProjectBillingInfo",
      Access::Permission("resourcemanager.projects.createBillingAssignment",
                         "name"),
      [&billing](const Call&,
                 const v1::UpdateProjectBillingInfoRequest& request) {
        return billing.UpdateProject(request);
      }));
}

}  // namespace brume::api
