#include "services/iam/key_store.h"

#include "base/random.h"
#include "base/status_macros.h"
#include "services/iam/iam_errors.h"
#include "store/kv/key.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

// Rows: iam.key  unique id of the account, key id  KeyRecord
namespace brume::services::iam {
namespace {

using brume::iam::AccountRecord;
using brume::iam::KeyRecord;
using google::protobuf::util::TimeUtil;

constexpr size_t kMaxUserKeys = 10;
// "9999-12-31T23:59:59Z": keys of users do not expire.
constexpr int64_t kNever = 253402300799;
constexpr int64_t kSystemKeySeconds = int64_t{2} * 365 * 86400;

std::string KeyKey(std::string_view unique_id, std::string_view key_id) {
  return store::Key("iam.key").Add(unique_id).Add(key_id).str();
}

absl::StatusOr<KeyRecord> Parse(std::string_view row) {
  KeyRecord record;
  if (!record.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
    return absl::DataLossError("read service account key: malformed");
  }
  return record;
}

absl::StatusOr<std::vector<KeyRecord>> KeysOf(store::KvReader& reader,
                                              std::string_view unique_id) {
  std::vector<KeyRecord> keys;
  absl::Status failed;
  RETURN_IF_ERROR(reader.Scan(
      store::KeyRange::Prefix(store::Key("iam.key").Add(unique_id).str()),
      [&](std::string_view, std::string_view value) {
        absl::StatusOr<KeyRecord> record = Parse(value);
        failed = record.status();
        if (record.ok()) keys.push_back(*std::move(record));
        return failed.ok();
      }));
  RETURN_IF_ERROR(failed);
  return keys;
}

KeyRecord NewRecord(const signing::RsaPrivateKey& key,
                    const AccountRecord& account, absl::Time now,
                    int64_t valid_before) {
  const absl::Time whole = absl::FromUnixSeconds(absl::ToUnixSeconds(now));
  KeyRecord record;
  record.set_id(base::RandomHex(40));
  record.set_certificate_pem(
      key.CertificatePem(account.account().unique_id(), whole,
                         absl::FromUnixSeconds(valid_before)));
  *record.mutable_valid_after() =
      TimeUtil::SecondsToTimestamp(absl::ToUnixSeconds(whole));
  *record.mutable_valid_before() = TimeUtil::SecondsToTimestamp(valid_before);
  return record;
}

bool IsValid(const KeyRecord& key, int64_t now) {
  return !key.disabled() && now < key.valid_before().seconds();
}

// The one that signs: the youngest that is valid for a day yet.
std::optional<KeyRecord> Signing(const std::vector<KeyRecord>& keys,
                                 int64_t now) {
  std::optional<KeyRecord> best;
  for (const KeyRecord& key : keys) {
    if (!key.system_managed() || !IsValid(key, now + 86400)) continue;
    if (!best || key.valid_after().seconds() > best->valid_after().seconds()) {
      best = key;
    }
  }
  return best;
}

}  // namespace

absl::StatusOr<KeyStore::NewKey> KeyStore::Create(const AccountName& name) {
  // Slow, and not to be repeated: before the transaction.
  RETURN_IF_ERROR(options_.accounts->Get(name).status());
  const signing::RsaPrivateKey key = signing::RsaPrivateKey::Generate();
  NewKey made;
  made.private_key_pem = key.Pkcs8Pem();
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        ASSIGN_OR_RETURN(made.account, options_.accounts->Lock(txn, name));
        const std::string& id = made.account.account().unique_id();
        ASSIGN_OR_RETURN(const auto keys, KeysOf(txn, id));
        const auto users = static_cast<size_t>(std::count_if(
            keys.begin(), keys.end(), [](const KeyRecord& key_of_account) {
              return !key_of_account.system_managed();
            }));
        if (users >= kMaxUserKeys) {
          return absl::FailedPreconditionError("Precondition check failed.");
        }
        // Two that count at once must not both pass.
        RETURN_IF_ERROR(txn.Put(store::Key("iam.key_count").Add(id).str(), ""));
        made.key = NewRecord(key, made.account, options_.clock->Now(), kNever);
        return txn.Put(KeyKey(id, made.key.id()), made.key.SerializeAsString());
      }));
  return made;
}

absl::StatusOr<KeyStore::Listed> KeyStore::List(const AccountName& name) {
  Listed listed;
  ASSIGN_OR_RETURN(listed.account, options_.accounts->Get(name));
  RETURN_IF_ERROR(SystemKey(listed.account).status());
  ASSIGN_OR_RETURN(listed.keys, KeysOf(*options_.kv->Snapshot(),
                                       listed.account.account().unique_id()));
  return listed;
}

absl::StatusOr<KeyRecord> KeyStore::Get(const KeyName& name) const {
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  ASSIGN_OR_RETURN(const AccountRecord account,
                   options_.accounts->Find(*reader, name.account));
  ASSIGN_OR_RETURN(
      const auto row,
      reader->Get(KeyKey(account.account().unique_id(), name.key)));
  if (!row) return UnknownKey(name.key);
  return Parse(*row);
}

absl::Status KeyStore::Delete(const KeyName& name) {
  return options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(const AccountRecord account,
                     options_.accounts->Lock(txn, name.account));
    const std::string row_key = KeyKey(account.account().unique_id(), name.key);
    ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(row_key));
    if (!row) return UnknownKey(name.key);
    ASSIGN_OR_RETURN(const KeyRecord key, Parse(*row));
    if (key.system_managed()) {
      return absl::FailedPreconditionError("Precondition check failed.");
    }
    return txn.Delete(row_key);
  });
}

absl::Status KeyStore::SetDisabled(const KeyName& name, bool disabled) {
  return options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(const AccountRecord account,
                     options_.accounts->Lock(txn, name.account));
    const std::string row_key = KeyKey(account.account().unique_id(), name.key);
    ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(row_key));
    if (!row) return UnknownKey(name.key);
    ASSIGN_OR_RETURN(KeyRecord key, Parse(*row));
    if (key.system_managed()) {
      return absl::FailedPreconditionError("Precondition check failed.");
    }
    key.set_disabled(disabled);
    return txn.Put(row_key, key.SerializeAsString());
  });
}

absl::StatusOr<std::vector<KeyRecord>> KeyStore::Valid(
    std::string_view email, std::string_view key_id) const {
  const std::unique_ptr<store::KvReader> reader = options_.kv->Snapshot();
  ASSIGN_OR_RETURN(const AccountRecord account,
                   options_.accounts->Find(*reader, {"-", std::string(email)}));
  std::vector<KeyRecord> keys;
  const std::string& id = account.account().unique_id();
  if (key_id.empty()) {
    ASSIGN_OR_RETURN(keys, KeysOf(*reader, id));
  } else {
    ASSIGN_OR_RETURN(const auto row, reader->Get(KeyKey(id, key_id)));
    if (row) {
      ASSIGN_OR_RETURN(KeyRecord key, Parse(*row));
      keys.push_back(std::move(key));
    }
  }
  const int64_t now = absl::ToUnixSeconds(options_.clock->Now());
  keys.erase(std::remove_if(
                 keys.begin(), keys.end(),
                 [now](const KeyRecord& key) { return !IsValid(key, now); }),
             keys.end());
  return keys;
}

absl::StatusOr<KeyStore::Signer> KeyStore::SystemKey(
    const AccountRecord& account) {
  const std::string& id = account.account().unique_id();
  const int64_t now = absl::ToUnixSeconds(options_.clock->Now());
  absl::MutexLock lock(&making_);
  ASSIGN_OR_RETURN(const auto keys, KeysOf(*options_.kv->Snapshot(), id));
  std::optional<KeyRecord> found = Signing(keys, now);
  if (!found) {
    const signing::RsaPrivateKey key = signing::RsaPrivateKey::Generate();
    found =
        NewRecord(key, account, options_.clock->Now(), now + kSystemKeySeconds);
    found->set_system_managed(true);
    found->set_private_key_pem(key.Pkcs8Pem());
    RETURN_IF_ERROR(
        options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
          RETURN_IF_ERROR(options_.accounts->Lock(txn, {"-", id}).status());
          return txn.Put(KeyKey(id, found->id()), found->SerializeAsString());
        }));
  }
  ASSIGN_OR_RETURN(signing::RsaPrivateKey key,
                   signing::RsaPrivateKey::FromPem(found->private_key_pem()));
  return Signer{found->id(), std::move(key)};
}

}  // namespace brume::services::iam
