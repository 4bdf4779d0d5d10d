#include "cli/gcloud_credentials.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/files.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <sqlite3.h>

#include <memory>

namespace brume::cli {
namespace {

namespace json = boost::json;

constexpr int kBusyMillis = 5000;  // gcloud's own

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
  }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

absl::Status SqlError(const std::string& path, sqlite3* database) {
  return absl::InternalError(base::StrCat("write gcloud's credentials '", path,
                                          "': ", sqlite3_errmsg(database)));
}

// What gcloud stores for a signed-in user.
std::string StoredJson(const Account& account) {
  json::array scopes = {"openid",
                        "https://www.googleapis.com/auth/userinfo.email",
                        "https://www.googleapis.com/auth/cloud-platform",
                        "https://www.googleapis.com/auth/appengine.admin",
                        "https://www.googleapis.com/auth/sqlservice.login",
                        "https://www.googleapis.com/auth/compute",
                        "https://www.googleapis.com/auth/accounts.reauth"};
  return json::serialize(
      json::object{{"client_id", account.client_id},
                   {"client_secret", account.client_secret},
                   {"refresh_token", account.refresh_token},
                   {"revoke_uri", "https://oauth2.googleapis.com/revoke"},
                   {"scopes", std::move(scopes)},
                   {"token_uri", "https://oauth2.googleapis.com/token"},
                   {"type", "authorized_user"},
                   {"universe_domain", "googleapis.com"}});
}

absl::Status StoreInDatabase(const std::string& path, const Account& account) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open(path.c_str(), &raw);
  const Database database(raw);
  if (opened != SQLITE_OK) return SqlError(path, raw);
  sqlite3_busy_timeout(raw, kBusyMillis);
  if (sqlite3_exec(raw,
                   "CREATE TABLE IF NOT EXISTS \"credentials\" "
                   "(account_id TEXT PRIMARY KEY, value BLOB)",
                   nullptr, nullptr, nullptr) != SQLITE_OK) {
    return SqlError(path, raw);
  }
  const std::string value = StoredJson(account);
  sqlite3_stmt* prepared = nullptr;
  // Only when it changes: gcloud of another terminal may hold the database.
  if (sqlite3_prepare_v2(raw,
                         "INSERT INTO \"credentials\" (account_id, value) "
                         "VALUES (?1, ?2) ON CONFLICT (account_id) DO UPDATE "
                         "SET value = ?2 WHERE value <> ?2",
                         -1, &prepared, nullptr) != SQLITE_OK) {
    return SqlError(path, raw);
  }
  const Statement statement(prepared);
  sqlite3_bind_text(prepared, 1, account.email.data(),
                    static_cast<int>(account.email.size()), SQLITE_STATIC);
  sqlite3_bind_text(prepared, 2, value.data(), static_cast<int>(value.size()),
                    SQLITE_STATIC);
  if (sqlite3_step(prepared) != SQLITE_DONE) return SqlError(path, raw);
  return absl::OkStatus();
}

json::object AdcObject(const Account& account) {
  json::object adc = {{"account", ""},
                      {"client_id", account.client_id},
                      {"client_secret", account.client_secret},
                      {"refresh_token", account.refresh_token},
                      {"type", "authorized_user"},
                      {"universe_domain", "googleapis.com"}};
  if (!account.project.empty()) adc["quota_project_id"] = account.project;
  return adc;
}

}  // namespace

std::string AdcJson(const Account& account) {
  return json::serialize(AdcObject(account)) + "\n";
}

std::string ImpersonationJson(const Account& account,
                              const std::string& service_account) {
  return json::serialize(json::object{
             {"delegates", json::array()},
             {"service_account_impersonation_url",
              base::StrCat("https://iamcredentials.googleapis.com/v1/projects/",
                           "-/serviceAccounts/", service_account,
                           ":generateAccessToken")},
             {"source_credentials", AdcObject(account)},
             {"type", "impersonated_service_account"},
             {"universe_domain", "googleapis.com"}}) +
         "\n";
}

absl::Status SignIn(const std::string& folder, const Account& account) {
  RETURN_IF_ERROR(StoreInDatabase(folder + "/credentials.db", account));
  const std::string legacy =
      base::StrCat(folder, "/legacy_credentials/", account.email);
  RETURN_IF_ERROR(MakeFolders(legacy));
  RETURN_IF_ERROR(WriteWholeFile(legacy + "/adc.json", AdcJson(account)));
  return WriteWholeFile(
      legacy + "/.boto",
      base::StrCat("[OAuth2]\nclient_id = ", account.client_id,
                   "\nclient_secret = ", account.client_secret,
                   "\n\n[Credentials]\ngs_oauth2_refresh_token = ",
                   account.refresh_token, "\n"));
}

}  // namespace brume::cli
