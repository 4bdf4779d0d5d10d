#include "api/bindings/iam.h"

namespace brume::api {

namespace admin = google::iam::admin::v1;
namespace credentials_v1 = google::iam::credentials::v1;
using google::protobuf::Empty;

void AddIamRows(MethodTable& table, services::iam::IamService& iam) {
  table.Add(Row<admin::CreateServiceAccountRequest, admin::ServiceAccount>(
      "google.iam.admin.v1.IAM.CreateServiceAccount",
      Access::Permission("iam.serviceAccounts.create", "name"),
      [&iam](const Call&, const admin::CreateServiceAccountRequest& request) {
        return iam.CreateServiceAccount(request);
      }));
  table.Add(Row<admin::GetServiceAccountRequest, admin::ServiceAccount>(
      "google.iam.admin.v1.IAM.GetServiceAccount",
      Access::Permission("iam.serviceAccounts.get", "name"),
      [&iam](const Call&, const admin::GetServiceAccountRequest& request) {
        return iam.GetServiceAccount(request);
      }));
  table.Add(Row<admin::ListServiceAccountsRequest,
                admin::ListServiceAccountsResponse>(
      "google.iam.admin.v1.IAM.ListServiceAccounts",
      Access::Permission("iam.serviceAccounts.list", "name"),
      [&iam](const Call&, const admin::ListServiceAccountsRequest& request) {
        return iam.ListServiceAccounts(request);
      }));
  table.Add(Row<admin::ServiceAccount, admin::ServiceAccount>(
      "google.iam.admin.v1.IAM.UpdateServiceAccount",
      Access::Permission("iam.serviceAccounts.update", "name"),
      [&iam](const Call&, const admin::ServiceAccount& request) {
        return iam.UpdateServiceAccount(request);
      }));
  table.Add(Row<admin::PatchServiceAccountRequest, admin::ServiceAccount>(
      "google.iam.admin.v1.IAM.PatchServiceAccount",
      Access::Permission("iam.serviceAccounts.update", "service_account.name"),
      [&iam](const Call&, const admin::PatchServiceAccountRequest& request) {
        return iam.PatchServiceAccount(request);
      }));
  table.Add(Row<admin::DeleteServiceAccountRequest, Empty>(
      "google.iam.admin.v1.IAM.DeleteServiceAccount",
      Access::Permission("iam.serviceAccounts.delete", "name"),
      [&iam](const Call&, const admin::DeleteServiceAccountRequest& request) {
        return iam.DeleteServiceAccount(request);
      }));
  table.Add(Row<admin::UndeleteServiceAccountRequest,
                admin::UndeleteServiceAccountResponse>(
      "google.iam.admin.v1.IAM.UndeleteServiceAccount",
      Access::Permission("iam.serviceAccounts.undelete", "name"),
      [&iam](const Call&, const admin::UndeleteServiceAccountRequest& request) {
        return iam.UndeleteServiceAccount(request);
      }));
  table.Add(Row<admin::EnableServiceAccountRequest, Empty>(
      "google.iam.admin.v1.IAM.EnableServiceAccount",
      Access::Permission("iam.serviceAccounts.enable", "name"),
      [&iam](const Call&, const admin::EnableServiceAccountRequest& request) {
        return iam.EnableServiceAccount(request);
      }));
  table.Add(Row<admin::DisableServiceAccountRequest, Empty>(
      "google.iam.admin.v1.IAM.DisableServiceAccount",
      Access::Permission("iam.serviceAccounts.disable", "name"),
      [&iam](const Call&, const admin::DisableServiceAccountRequest& request) {
        return iam.DisableServiceAccount(request);
      }));
  table.Add(
      Row<admin::CreateServiceAccountKeyRequest, admin::ServiceAccountKey>(
          "google.iam.admin.v1.IAM.CreateServiceAccountKey",
          Access::Permission("iam.serviceAccountKeys.create", "name"),
          [&iam](const Call&,
                 const admin::CreateServiceAccountKeyRequest& request) {
            return iam.CreateServiceAccountKey(request);
          }));
  table.Add(Row<admin::GetServiceAccountKeyRequest, admin::ServiceAccountKey>(
      "google.iam.admin.v1.IAM.GetServiceAccountKey",
      Access::Permission("iam.serviceAccountKeys.get", "name"),
      [&iam](const Call&, const admin::GetServiceAccountKeyRequest& request) {
        return iam.GetServiceAccountKey(request);
      }));
  table.Add(Row<admin::ListServiceAccountKeysRequest,
                admin::ListServiceAccountKeysResponse>(
      "google.iam.admin.v1.IAM.ListServiceAccountKeys",
      Access::Permission("iam.serviceAccountKeys.list", "name"),
      [&iam](const Call&, const admin::ListServiceAccountKeysRequest& request) {
        return iam.ListServiceAccountKeys(request);
      }));
  table.Add(Row<admin::DeleteServiceAccountKeyRequest, Empty>(
      "google.iam.admin.v1.IAM.DeleteServiceAccountKey",
      Access::Permission("iam.serviceAccountKeys.delete", "name"),
      [&iam](const Call&,
             const admin::DeleteServiceAccountKeyRequest& request) {
        return iam.DeleteServiceAccountKey(request);
      }));
  table.Add(Row<admin::EnableServiceAccountKeyRequest, Empty>(
      "google.iam.admin.v1.IAM.EnableServiceAccountKey",
      Access::Permission("iam.serviceAccountKeys.enable", "name"),
      [&iam](const Call&,
             const admin::EnableServiceAccountKeyRequest& request) {
        return iam.EnableServiceAccountKey(request);
      }));
  table.Add(Row<admin::DisableServiceAccountKeyRequest, Empty>(
      "google.iam.admin.v1.IAM.DisableServiceAccountKey",
      Access::Permission("iam.serviceAccountKeys.disable", "name"),
      [&iam](const Call&,
             const admin::DisableServiceAccountKeyRequest& request) {
        return iam.DisableServiceAccountKey(request);
      }));
  table.Add(Row<google::iam::v1::GetIamPolicyRequest, google::iam::v1::Policy>(
      "google.iam.admin.v1.IAM.GetIamPolicy",
      Access::Permission("iam.serviceAccounts.getIamPolicy", "resource"),
      [&iam](const Call&, const google::iam::v1::GetIamPolicyRequest& request) {
        return iam.GetIamPolicy(request);
      }));
  table.Add(Row<google::iam::v1::SetIamPolicyRequest, google::iam::v1::Policy>(
      "google.iam.admin.v1.IAM.SetIamPolicy",
      Access::Permission("iam.serviceAccounts.setIamPolicy", "resource"),
      [&iam](const Call&, const google::iam::v1::SetIamPolicyRequest& request) {
        return iam.SetIamPolicy(request);
      }));
  table.Add(Row<google::iam::v1::TestIamPermissionsRequest,
                google::iam::v1::TestIamPermissionsResponse>(
      "google.iam.admin.v1.IAM.TestIamPermissions",
      Access::NoneOn("resource", "tells callers what they may"),
      [&iam](const Call&,
             const google::iam::v1::TestIamPermissionsRequest& request) {
        return iam.TestIamPermissions(request);
      }));
}

void AddIamCredentialsRows(MethodTable& table,
                           services::iam::CredentialsService& credentials) {
  table.Add(Row<credentials_v1::GenerateAccessTokenRequest,
                credentials_v1::GenerateAccessTokenResponse>(
      "google.iam.credentials.v1.IAMCredentials.GenerateAccessToken",
      Access::Permission("iam.serviceAccounts.getAccessToken", "name"),
      [&credentials](
          const Call& call,
          const credentials_v1::GenerateAccessTokenRequest& request) {
        return credentials.GenerateAccessToken(request, call.principal.email);
      }));
  table.Add(Row<credentials_v1::GenerateIdTokenRequest,
                credentials_v1::GenerateIdTokenResponse>(
      "google.iam.credentials.v1.IAMCredentials.GenerateIdToken",
      Access::Permission("iam.serviceAccounts.getOpenIdToken", "name"),
      [&credentials](const Call&,
                     const credentials_v1::GenerateIdTokenRequest& request) {
        return credentials.GenerateIdToken(request);
      }));
  table.Add(
      Row<credentials_v1::SignBlobRequest, credentials_v1::SignBlobResponse>(
          "google.iam.credentials.v1.IAMCredentials.SignBlob",
          Access::Permission("iam.serviceAccounts.signBlob", "name"),
          [&credentials](const Call&,
                         const credentials_v1::SignBlobRequest& request) {
            return credentials.SignBlob(request);
          }));
  table.Add(
      Row<credentials_v1::SignJwtRequest, credentials_v1::SignJwtResponse>(
          "google.iam.credentials.v1.IAMCredentials.SignJwt",
          Access::Permission("iam.serviceAccounts.signJwt", "name"),
          [&credentials](const Call&,
                         const credentials_v1::SignJwtRequest& request) {
            return credentials.SignJwt(request);
          }));
  table.Add(Row<brume::iam::GetAllowedLocationsRequest,
                brume::iam::ServiceAccountAllowedLocations>(
      "brume.iam.AllowedLocations.GetServiceAccountAllowedLocations",
      Access::NoneOn("name", "asked by client libraries in the background"),
      [&credentials](const Call&,
                     const brume::iam::GetAllowedLocationsRequest& request) {
        return credentials.GetAllowedLocations(request);
      }));
}

}  // namespace brume::api
