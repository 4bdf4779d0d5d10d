#include "services/iam/key_file.h"

#include "base/encoding.h"
#include "base/str_cat.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <array>
#include <utility>

namespace brume::services::iam {
namespace {

std::string Quoted(std::string_view text) {
  return boost::json::serialize(
      boost::json::string(boost::json::string_view(text.data(), text.size())));
}

}  // namespace

std::string KeyFile(const KeyStore::NewKey& key) {
  const google::iam::admin::v1::ServiceAccount& account = key.account.account();
  const std::array<std::pair<std::string_view, std::string>, 11> fields = {{
      {"type", "service_account"},
      {"project_id", account.project_id()},
      {"private_key_id", key.key.id()},
      {"private_key", key.private_key_pem},
      {"client_email", account.email()},
      {"client_id", account.unique_id()},
      {"auth_uri", "https://accounts.google.com/o/oauth2/auth"},
      {"token_uri", "https://oauth2.googleapis.com/token"},
      {"auth_provider_x509_cert_url",
       "https://www.googleapis.com/oauth2/v1/certs"},
      {"client_x509_cert_url",
       base::StrCat("https://www.googleapis.com/robot/v1/metadata/x509/",
                    base::PercentEncode(account.email()))},
      {"universe_domain", "googleapis.com"},
  }};
  std::string out = "{\n";
  for (size_t i = 0; i < fields.size(); ++i) {
    base::StrAppend(&out, "  ", Quoted(fields[i].first), ": ",
                    Quoted(fields[i].second),
                    i + 1 < fields.size() ? ",\n" : "\n");
  }
  out += "}\n";
  return out;
}

}  // namespace brume::services::iam
