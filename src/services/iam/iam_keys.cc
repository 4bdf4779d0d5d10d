#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/iam/iam_service.h"
#include "services/iam/key_file.h"
#include "services/signing/rsa.h"

#include <algorithm>
#include <string>

// The part of IamService that is about keys.
namespace brume::services::iam {
namespace {

namespace admin = google::iam::admin::v1;
using brume::iam::KeyRecord;
using google::protobuf::Empty;

admin::ServiceAccountKey Shown(const brume::iam::AccountRecord& account,
                               const KeyRecord& record) {
  admin::ServiceAccountKey key;
  key.set_name(base::StrCat(account.account().name(), "/keys/", record.id()));
  *key.mutable_valid_after_time() = record.valid_after();
  *key.mutable_valid_before_time() = record.valid_before();
  key.set_key_algorithm(admin::KEY_ALG_RSA_2048);
  key.set_key_origin(admin::GOOGLE_PROVIDED);
  key.set_key_type(record.system_managed()
                       ? admin::ListServiceAccountKeysRequest::SYSTEM_MANAGED
                       : admin::ListServiceAccountKeysRequest::USER_MANAGED);
  key.set_disabled(record.disabled());
  return key;
}

}  // namespace

absl::StatusOr<admin::ServiceAccountKey> IamService::CreateServiceAccountKey(
    const admin::CreateServiceAccountKeyRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.name()));
  if (request.private_key_type() == admin::TYPE_PKCS12_FILE) {
    return InvalidField("private_key_type",
                        "create service account key: PKCS #12 files are not "
                        "made here; ask for TYPE_GOOGLE_CREDENTIALS_FILE");
  }
  if (request.key_algorithm() == admin::KEY_ALG_RSA_1024) {
    return InvalidField("key_algorithm",
                        "KEY_ALG_RSA_1024 is not supported; use "
                        "KEY_ALG_RSA_2048.");
  }
  ASSIGN_OR_RETURN(const KeyStore::NewKey made, options_.keys->Create(name));
  admin::ServiceAccountKey key = Shown(made.account, made.key);
  key.set_private_key_type(admin::TYPE_GOOGLE_CREDENTIALS_FILE);
  key.set_private_key_data(KeyFile(made));
  return key;
}

absl::StatusOr<admin::ServiceAccountKey> IamService::GetServiceAccountKey(
    const admin::GetServiceAccountKeyRequest& request) {
  ASSIGN_OR_RETURN(const KeyName name, ParseKeyName(request.name()));
  RETURN_IF_ERROR(
      OwnName(AccountResource(name.account.project, name.account.account))
          .status());
  ASSIGN_OR_RETURN(const auto account, options_.accounts->Get(name.account));
  ASSIGN_OR_RETURN(const KeyRecord record, options_.keys->Get(name));
  admin::ServiceAccountKey key = Shown(account, record);
  if (request.public_key_type() == admin::TYPE_X509_PEM_FILE) {
    key.set_public_key_data(record.certificate_pem());
  } else if (request.public_key_type() == admin::TYPE_RAW_PUBLIC_KEY) {
    ASSIGN_OR_RETURN(const auto public_key,
                     signing::RsaPublicKey::FromPem(record.certificate_pem()));
    key.set_public_key_data(public_key.Pem());
  }
  return key;
}

absl::StatusOr<admin::ListServiceAccountKeysResponse>
IamService::ListServiceAccountKeys(
    const admin::ListServiceAccountKeysRequest& request) {
  ASSIGN_OR_RETURN(const AccountName name, OwnName(request.name()));
  ASSIGN_OR_RETURN(const KeyStore::Listed listed, options_.keys->List(name));
  admin::ListServiceAccountKeysResponse response;
  for (const KeyRecord& record : listed.keys) {
    admin::ServiceAccountKey key = Shown(listed.account, record);
    const auto& types = request.key_types();
    const bool wanted =
        types.empty() ||
        std::any_of(types.begin(), types.end(), [&key](int type) {
          return type == admin::ListServiceAccountKeysRequest::
                             KEY_TYPE_UNSPECIFIED ||
                 type == key.key_type();
        });
    if (wanted) *response.add_keys() = std::move(key);
  }
  return response;
}

absl::StatusOr<Empty> IamService::DeleteServiceAccountKey(
    const admin::DeleteServiceAccountKeyRequest& request) {
  ASSIGN_OR_RETURN(const KeyName name, ParseKeyName(request.name()));
  RETURN_IF_ERROR(
      OwnName(AccountResource(name.account.project, name.account.account))
          .status());
  RETURN_IF_ERROR(options_.keys->Delete(name));
  return Empty();
}

absl::StatusOr<Empty> IamService::EnableServiceAccountKey(
    const admin::EnableServiceAccountKeyRequest& request) {
  ASSIGN_OR_RETURN(const KeyName name, ParseKeyName(request.name()));
  RETURN_IF_ERROR(
      OwnName(AccountResource(name.account.project, name.account.account))
          .status());
  RETURN_IF_ERROR(options_.keys->SetDisabled(name, false));
  return Empty();
}

absl::StatusOr<Empty> IamService::DisableServiceAccountKey(
    const admin::DisableServiceAccountKeyRequest& request) {
  ASSIGN_OR_RETURN(const KeyName name, ParseKeyName(request.name()));
  RETURN_IF_ERROR(
      OwnName(AccountResource(name.account.project, name.account.account))
          .status());
  RETURN_IF_ERROR(options_.keys->SetDisabled(name, true));
  return Empty();
}

}  // namespace brume::services::iam
