#include "services/oauth/token_store.h"

#include "base/encoding.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/signing/rsa.h"
#include "store/kv/key.h"

#include <optional>
#include <utility>

// Rows:
//   oauth.token    hash             TokenRecord
//   oauth.expiry   seconds, hash    empty; to find what has expired
//   oauth.refresh  hash             RefreshRecord
namespace brume::services::oauth {
namespace {

using brume::oauth::RefreshRecord;
using brume::oauth::TokenRecord;

// An expired token is told from an unknown one for a day.
constexpr int64_t kRememberedSeconds = 24 * 3600;
// How many rows of expired tokens a new one clears away.
constexpr size_t kCleared = 8;

std::string TokenKey(std::string_view hash) {
  return store::Key("oauth.token").Add(hash).str();
}
std::string ExpiryKey(int64_t seconds, std::string_view hash) {
  return store::Key("oauth.expiry")
      .AddInt(static_cast<uint64_t>(seconds))
      .Add(hash)
      .str();
}
std::string RefreshKey(std::string_view hash) {
  return store::Key("oauth.refresh").Add(hash).str();
}

template <typename Record>
absl::StatusOr<Record> Parse(std::string_view row) {
  Record record;
  if (!record.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
    return absl::DataLossError("read token record: malformed");
  }
  return record;
}

absl::Status Forget(store::KvTransaction& txn, std::string_view hash,
                    int64_t expires_at) {
  RETURN_IF_ERROR(txn.Delete(ExpiryKey(expires_at, hash)));
  return txn.Delete(TokenKey(hash));
}

absl::Status ClearExpired(store::KvTransaction& txn, int64_t now) {
  std::vector<std::pair<int64_t, std::string>> old;
  const store::KeyRange range{store::Key("oauth.expiry").str(),
                              ExpiryKey(now - kRememberedSeconds, "")};
  RETURN_IF_ERROR(
      txn.Scan(range, [&old](std::string_view key, std::string_view) {
        store::KeyParser parser(key);
        parser.Next();
        const std::optional<uint64_t> seconds = parser.NextInt();
        std::optional<std::string> hash = parser.Next();
        if (seconds && hash) {
          old.emplace_back(static_cast<int64_t>(*seconds), *std::move(hash));
        }
        return old.size() < kCleared;
      }));
  for (const auto& [seconds, hash] : old) {
    RETURN_IF_ERROR(Forget(txn, hash, seconds));
  }
  return absl::OkStatus();
}

}  // namespace

std::string HashOf(std::string_view secret) { return signing::Sha256(secret); }

absl::StatusOr<TokenStore::Access> TokenStore::MintAccess(
    TokenRecord record, absl::Duration lifetime) {
  const int64_t now = absl::ToUnixSeconds(options_.clock->Now());
  record.set_issued_at(now);
  record.set_expires_at(now + absl::ToInt64Seconds(lifetime));
  Access access;
  access.token =
      base::StrCat(record.service_account() ? "ya29.c.c0" : "ya29.a0",
                   base::Base64UrlEncode(base::RandomBytes(96)));
  access.expires_at = absl::FromUnixSeconds(record.expires_at());
  const std::string hash = HashOf(access.token);
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        if (!record.refresh_hash().empty()) {
          // Locked: who revokes it must find this token, too.
          ASSIGN_OR_RETURN(const auto parent,
                           txn.GetForUpdate(RefreshKey(record.refresh_hash())));
          if (!parent) return absl::UnauthenticatedError("no such token");
        }
        RETURN_IF_ERROR(ClearExpired(txn, now));
        RETURN_IF_ERROR(txn.Put(ExpiryKey(record.expires_at(), hash), ""));
        return txn.Put(TokenKey(hash), record.SerializeAsString());
      }));
  return access;
}

absl::StatusOr<TokenRecord> TokenStore::FindAccess(
    std::string_view token) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   options_.kv->Get(TokenKey(HashOf(token))));
  if (!row) return absl::UnauthenticatedError("no such token");
  ASSIGN_OR_RETURN(TokenRecord record, Parse<TokenRecord>(*row));
  if (record.expires_at() <= absl::ToUnixSeconds(options_.clock->Now())) {
    return absl::UnauthenticatedError("token expired");
  }
  return record;
}

absl::StatusOr<std::string> TokenStore::MintRefresh(
    store::KvTransaction& txn, const RefreshRecord& record) {
  std::string token =
      base::StrCat("1//0", base::Base64UrlEncode(base::RandomBytes(72)));
  RETURN_IF_ERROR(
      txn.Put(RefreshKey(HashOf(token)), record.SerializeAsString()));
  return token;
}

absl::StatusOr<RefreshRecord> TokenStore::FindRefresh(
    std::string_view token) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   options_.kv->Get(RefreshKey(HashOf(token))));
  if (!row) return absl::UnauthenticatedError("no such token");
  return Parse<RefreshRecord>(*row);
}

absl::Status TokenStore::Revoke(std::string_view token) {
  const std::string hash = HashOf(token);
  return options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(const auto access, txn.GetForUpdate(TokenKey(hash)));
    if (access) {
      ASSIGN_OR_RETURN(const TokenRecord record, Parse<TokenRecord>(*access));
      return Forget(txn, hash, record.expires_at());
    }
    ASSIGN_OR_RETURN(const auto refresh, txn.GetForUpdate(RefreshKey(hash)));
    if (!refresh) return absl::UnauthenticatedError("no such token");
    RETURN_IF_ERROR(txn.Delete(RefreshKey(hash)));

    std::vector<std::pair<std::string, int64_t>> descendants;
    bool parsed = true;
    RETURN_IF_ERROR(txn.Scan(
        store::KeyRange::Prefix(store::Key("oauth.token").str()),
        [&](std::string_view key, std::string_view value) {
          store::KeyParser parser(key);
          parser.Next();
          const std::optional<std::string> id = parser.Next();
          TokenRecord record;
          parsed = id && record.ParseFromArray(value.data(),
                                               static_cast<int>(value.size()));
          if (!parsed) return false;
          if (record.refresh_hash() == hash) {
            descendants.emplace_back(*id, record.expires_at());
          }
          return true;
        }));
    if (!parsed) return absl::DataLossError("read token record: malformed");
    for (const auto& [id, expires_at] : descendants) {
      RETURN_IF_ERROR(Forget(txn, id, expires_at));
    }
    return absl::OkStatus();
  });
}

}  // namespace brume::services::oauth
