#pragma once

#include "api/method.h"
#include "services/iam/credentials_service.h"
#include "services/iam/iam_service.h"

namespace brume::api {

// google.iam.admin.v1.IAM: service accounts, their keys and policies. `iam`
// must outlive the table.
void AddIamRows(MethodTable& table, services::iam::IamService& iam);

// google.iam.credentials.v1.IAMCredentials and its allowedLocations.
// `credentials` must outlive the table.
void AddIamCredentialsRows(MethodTable& table,
                           services::iam::CredentialsService& credentials);

}  // namespace brume::api
