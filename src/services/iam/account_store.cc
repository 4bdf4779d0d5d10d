#include "services/iam/account_store.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/iam/iam_errors.h"
#include "store/kv/key.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

// Rows:
//   iam.account          email                  AccountRecord
//   iam.project_account  project number, email  empty; not Google-managed ones
//   iam.unique_id        unique id              email
//   iam.deleted          unique id              AccountRecord
namespace brume::services::iam {
namespace {

using brume::iam::AccountRecord;
using google::iam::admin::v1::ServiceAccount;
using google::protobuf::util::TimeUtil;

constexpr int64_t kRestorableSeconds = 30 * 86400;
// What every new account's etag is ("MDEwMjE5MjA=").
constexpr std::string_view kEtag = "01021920";

std::string AccountKey(std::string_view email) {
  return store::Key("iam.account").Add(email).str();
}
std::string ProjectKey(std::string_view number, std::string_view email) {
  return store::Key("iam.project_account").Add(number).Add(email).str();
}
std::string UniqueIdKey(std::string_view id) {
  return store::Key("iam.unique_id").Add(id).str();
}
std::string DeletedKey(std::string_view id) {
  return store::Key("iam.deleted").Add(id).str();
}

absl::StatusOr<AccountRecord> Parse(const std::string& row) {
  AccountRecord record;
  if (!record.ParseFromString(row)) {
    return absl::DataLossError("read service account: malformed");
  }
  return record;
}

// Deprecated in the proto, and still in every reply.
void SetEtag(ServiceAccount& account) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  account.set_etag(std::string(kEtag));
#pragma GCC diagnostic pop
}

AccountRecord NewRecord(const Project& project, std::string_view email,
                        const ServiceAccount& what) {
  AccountRecord record;
  record.set_project_number(project.number);
  ServiceAccount& account = *record.mutable_account();
  account.set_name(AccountResource(project.id, email));
  account.set_project_id(project.id);
  account.set_unique_id(base::StrCat("1", base::RandomDigits(20)));
  account.set_email(std::string(email));
  account.set_display_name(what.display_name());
  account.set_description(what.description());
  SetEtag(account);
  account.set_oauth2_client_id(account.unique_id());
  return record;
}

absl::Status Put(store::KvTransaction& txn, const AccountRecord& record) {
  const ServiceAccount& account = record.account();
  if (!record.google_managed()) {
    RETURN_IF_ERROR(
        txn.Put(ProjectKey(record.project_number(), account.email()), ""));
  }
  RETURN_IF_ERROR(txn.Put(UniqueIdKey(account.unique_id()), account.email()));
  return txn.Put(AccountKey(account.email()), record.SerializeAsString());
}

bool InProject(const AccountRecord& record, std::string_view project) {
  return project == "-" || project == record.account().project_id() ||
         project == record.project_number();
}

}  // namespace

absl::StatusOr<AccountRecord> AccountStore::Create(std::string_view project,
                                                   std::string_view account_id,
                                                   const ServiceAccount& what) {
  RETURN_IF_ERROR(CheckAccountId(account_id));
  RETURN_IF_ERROR(CheckDisplayName(what.display_name()));
  RETURN_IF_ERROR(CheckDescription(what.description()));
  AccountRecord record;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const Project found,
                         options_.lock_project(txn, project));
        const std::string email = AccountEmail(account_id, found.id);
        ASSIGN_OR_RETURN(const auto taken, txn.GetForUpdate(AccountKey(email)));
        if (taken) return AccountExists(account_id, found.id);
        record = NewRecord(found, email, what);
        return Put(txn, record);
      }));
  return record;
}

absl::Status AccountStore::CreateManaged(store::KvTransaction& txn,
                                         const Project& project,
                                         std::string_view email,
                                         std::string_view display_name,
                                         bool google_managed) const {
  ASSIGN_OR_RETURN(const auto taken, txn.GetForUpdate(AccountKey(email)));
  if (taken) return absl::OkStatus();
  ServiceAccount what;
  what.set_display_name(std::string(display_name));
  AccountRecord record = NewRecord(project, email, what);
  record.set_google_managed(google_managed);
  return Put(txn, record);
}

absl::StatusOr<AccountRecord> AccountStore::Find(
    store::KvReader& reader, const AccountName& name) const {
  std::string email = name.account;
  if (email.find('@') == std::string::npos) {
    ASSIGN_OR_RETURN(const auto found, reader.Get(UniqueIdKey(email)));
    if (!found) return UnknownAccount();
    email = *found;
  }
  ASSIGN_OR_RETURN(const auto row, reader.Get(AccountKey(email)));
  if (!row) return UnknownAccount();
  ASSIGN_OR_RETURN(AccountRecord record, Parse(*row));
  if (!InProject(record, name.project)) return UnknownAccount();
  return record;
}

absl::StatusOr<AccountRecord> AccountStore::Get(const AccountName& name) const {
  return Find(*options_.kv->Snapshot(), name);
}

absl::StatusOr<bool> AccountStore::Exists(store::KvReader& reader,
                                          std::string_view email) const {
  ASSIGN_OR_RETURN(const auto row, reader.Get(AccountKey(email)));
  if (row) return true;
  constexpr std::string_view kDomain = ".iam.gserviceaccount.com";
  const size_t at = email.find('@');
  if (at == std::string_view::npos || email.size() < at + kDomain.size() ||
      email.substr(email.size() - kDomain.size()) != kDomain) {
    return true;
  }
  // Service agents live in projects of Google's.
  return email.substr(at + 1, 7) == "gcp-sa-";
}

absl::StatusOr<AccountRecord> AccountStore::Lock(
    store::KvTransaction& txn, const AccountName& name) const {
  ASSIGN_OR_RETURN(const AccountRecord found, Find(txn, name));
  ASSIGN_OR_RETURN(const auto row,
                   txn.GetForUpdate(AccountKey(found.account().email())));
  if (!row) return UnknownAccount();
  return Parse(*row);
}

absl::StatusOr<std::vector<AccountRecord>> AccountStore::List(
    std::string_view project_number, std::string_view after,
    size_t count) const {
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  store::KeyRange range = store::KeyRange::Prefix(
      store::Key("iam.project_account").Add(project_number).str());
  if (!after.empty()) range.begin = ProjectKey(project_number, after) + '\0';
  std::vector<std::string> emails;
  RETURN_IF_ERROR(
      reader->Scan(range, [&](std::string_view key, std::string_view) {
        if (emails.size() == count) return false;
        store::KeyParser parser(key);
        parser.Next();
        parser.Next();
        emails.push_back(parser.Next().value_or(""));
        return true;
      }));
  std::vector<AccountRecord> out;
  for (const std::string& email : emails) {
    ASSIGN_OR_RETURN(const auto row, reader->Get(AccountKey(email)));
    if (!row) return absl::DataLossError("read service account: no such row");
    ASSIGN_OR_RETURN(AccountRecord record, Parse(*row));
    out.push_back(std::move(record));
  }
  return out;
}

absl::StatusOr<AccountRecord> AccountStore::Update(const AccountName& name,
                                                   const Change& change) {
  AccountRecord record;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(record, Lock(txn, name));
        RETURN_IF_ERROR(change(*record.mutable_account()));
        return txn.Put(AccountKey(record.account().email()),
                       record.SerializeAsString());
      }));
  return record;
}

absl::Status AccountStore::Delete(const AccountName& name) {
  return options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(AccountRecord record, Lock(txn, name));
    const ServiceAccount& account = record.account();
    *record.mutable_delete_time() = TimeUtil::MicrosecondsToTimestamp(
        absl::ToUnixMicros(options_.clock->Now()));
    RETURN_IF_ERROR(txn.Delete(AccountKey(account.email())));
    RETURN_IF_ERROR(
        txn.Delete(ProjectKey(record.project_number(), account.email())));
    RETURN_IF_ERROR(txn.Delete(UniqueIdKey(account.unique_id())));
    return txn.Put(DeletedKey(account.unique_id()), record.SerializeAsString());
  });
}

absl::StatusOr<AccountRecord> AccountStore::Undelete(const AccountName& name) {
  AccountRecord record;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(const auto row,
                         txn.GetForUpdate(DeletedKey(name.account)));
        if (!row) return UnknownAccount();
        ASSIGN_OR_RETURN(record, Parse(*row));
        const int64_t now = absl::ToUnixSeconds(options_.clock->Now());
        if (!InProject(record, name.project) ||
            record.delete_time().seconds() + kRestorableSeconds <= now) {
          return UnknownAccount();
        }
        RETURN_IF_ERROR(
            options_.lock_project(txn, record.project_number()).status());
        const std::string& email = record.account().email();
        ASSIGN_OR_RETURN(const auto taken, txn.GetForUpdate(AccountKey(email)));
        if (taken) {
          return absl::FailedPreconditionError(base::StrCat(
              "Service account ", email,
              " cannot be restored: a new account has its e-mail address."));
        }
        record.clear_delete_time();
        RETURN_IF_ERROR(txn.Delete(DeletedKey(name.account)));
        return Put(txn, record);
      }));
  return record;
}

}  // namespace brume::services::iam
