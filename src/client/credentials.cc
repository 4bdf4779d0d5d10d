#include "client/credentials.h"

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "client/json_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

namespace brume::client {
namespace {

namespace json = boost::json;

constexpr std::string_view kTokenUri = "https://oauth2.googleapis.com/token";
constexpr std::string_view kScope =
    "https://www.googleapis.com/auth/cloud-platform";
constexpr absl::Duration kEarly = absl::Minutes(5);

absl::Status Refused(std::string_view who, const HttpReply& reply) {
  boost::system::error_code error;
  const json::value body = json::parse(reply.body, error);
  std::string cause;
  if (!error) cause = TextField(body, "error_description");
  if (!error && cause.empty()) cause = TextField(body, "error");
  if (cause.empty()) cause = base::StrCat("status ", reply.status);
  return absl::UnauthenticatedError(
      base::StrCat("get token of ", who, ": ", cause));
}

// A reply of the token endpoint: RFC 6749, 5.1.
class TokenEndpoint {
 public:
  struct Reply {
    std::string token;
    absl::Duration lifetime;
  };

  static absl::StatusOr<Reply> Ask(
      HttpClient& http, std::string_view uri, std::string_view who,
      const std::vector<std::pair<std::string, std::string>>& form) {
    HttpRequest request{.method = "POST"};
    ASSIGN_OR_RETURN(request.url, ParseUrl(uri));
    request.headers.emplace_back("Content-Type",
                                 "application/x-www-form-urlencoded");
    for (const auto& [name, value] : form) {
      base::StrAppend(&request.body, request.body.empty() ? "" : "&", name, "=",
                      base::PercentEncode(value));
    }
    ASSIGN_OR_RETURN(const HttpReply reply, http.Send(request));
    return Read(who, reply);
  }

  static absl::StatusOr<Reply> Read(std::string_view who,
                                    const HttpReply& reply) {
    if (reply.status != 200) return Refused(who, reply);
    boost::system::error_code error;
    const json::value body = json::parse(reply.body, error);
    Reply out;
    if (!error) out.token = TextField(body, "access_token");
    if (out.token.empty()) {
      return absl::InternalError(
          base::StrCat("get token of ", who, ": the reply holds none"));
    }
    out.lifetime = absl::Seconds(NumberField(body, "expires_in"));
    return out;
  }
};

absl::StatusOr<std::string> Need(const json::value& file,
                                 std::string_view name) {
  std::string text = TextField(file, name);
  if (text.empty()) {
    return absl::InvalidArgumentError(
        base::StrCat("read credentials: '", name, "' is missing"));
  }
  return text;
}

class UserCredentials final : public Credentials {
 public:
  static absl::StatusOr<std::unique_ptr<Credentials>> Make(
      const json::value& file, HttpClient* http, const base::Clock* clock) {
    auto out = std::unique_ptr<UserCredentials>(new UserCredentials(clock));
    out->http_ = http;
    ASSIGN_OR_RETURN(out->client_id_, Need(file, "client_id"));
    ASSIGN_OR_RETURN(out->client_secret_, Need(file, "client_secret"));
    ASSIGN_OR_RETURN(out->refresh_token_, Need(file, "refresh_token"));
    out->project_ = TextField(file, "quota_project_id");
    return out;
  }

 private:
  using Credentials::Credentials;
  absl::StatusOr<Fresh> Fetch() override {
    ASSIGN_OR_RETURN(TokenEndpoint::Reply reply,
                     TokenEndpoint::Ask(*http_, kTokenUri, "the user",
                                        {{"grant_type", "refresh_token"},
                                         {"client_id", client_id_},
                                         {"client_secret", client_secret_},
                                         {"refresh_token", refresh_token_}}));
    return Fresh{std::move(reply.token), reply.lifetime};
  }

  HttpClient* http_ = nullptr;
  std::string client_id_;
  std::string client_secret_;
  std::string refresh_token_;
};

class KeyCredentials final : public Credentials {
 public:
  static absl::StatusOr<std::unique_ptr<Credentials>> Make(
      const json::value& file, HttpClient* http, const base::Clock* clock) {
    auto out = std::unique_ptr<KeyCredentials>(new KeyCredentials(clock));
    out->http_ = http;
    ASSIGN_OR_RETURN(out->email_, Need(file, "client_email"));
    ASSIGN_OR_RETURN(out->key_, Need(file, "private_key"));
    ASSIGN_OR_RETURN(out->key_id_, Need(file, "private_key_id"));
    out->token_uri_ = TextField(file, "token_uri");
    if (out->token_uri_.empty()) out->token_uri_ = kTokenUri;
    out->project_ = TextField(file, "project_id");
    return out;
  }

 private:
  using Credentials::Credentials;
  absl::StatusOr<Fresh> Fetch() override {
    const int64_t now = absl::ToUnixSeconds(Now());
    const std::string claims = json::serialize(
        json::object{{"iss", email_},
                     {"scope", json::string_view(kScope.data(), kScope.size())},
                     {"aud", token_uri_},
                     {"iat", now},
                     {"exp", now + 3600}});
    ASSIGN_OR_RETURN(const std::string assertion,
                     SignJwt(key_id_, claims, key_));
    ASSIGN_OR_RETURN(
        TokenEndpoint::Reply reply,
        TokenEndpoint::Ask(
            *http_, token_uri_, base::StrCat("'", email_, "'"),
            {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
             {"assertion", assertion}}));
    return Fresh{std::move(reply.token), reply.lifetime};
  }

  HttpClient* http_ = nullptr;
  std::string email_;
  std::string key_;
  std::string key_id_;
  std::string token_uri_;
};

class ImpersonatedCredentials final : public Credentials {
 public:
  static absl::StatusOr<std::unique_ptr<Credentials>> Make(
      const json::value& file, HttpClient* http, const base::Clock* clock) {
    auto out = std::unique_ptr<ImpersonatedCredentials>(
        new ImpersonatedCredentials(clock));
    out->http_ = http;
    ASSIGN_OR_RETURN(out->url_,
                     Need(file, "service_account_impersonation_url"));
    const json::value* source = Field(file, "source_credentials");
    if (source == nullptr) {
      return absl::InvalidArgumentError(
          "read credentials: 'source_credentials' is missing");
    }
    ASSIGN_OR_RETURN(out->source_, CredentialsFromJson(json::serialize(*source),
                                                       http, clock));
    return out;
  }

 private:
  using Credentials::Credentials;
  absl::StatusOr<Fresh> Fetch() override {
    ASSIGN_OR_RETURN(const std::string token, source_->Token());
    HttpRequest request{.method = "POST"};
    ASSIGN_OR_RETURN(request.url, ParseUrl(url_));
    request.headers = {{"Content-Type", "application/json"},
                       {"Authorization", base::StrCat("Bearer ", token)}};
    request.body = json::serialize(json::object{
        {"scope", json::array{json::string_view(kScope.data(), kScope.size())}},
        {"lifetime", "3600s"}});
    ASSIGN_OR_RETURN(const HttpReply reply, http_->Send(request));
    if (reply.status != 200) return Refused("another account", reply);
    boost::system::error_code error;
    const json::value body = json::parse(reply.body, error);
    if (error) return absl::InternalError("get token: the reply is no JSON");
    const auto expires = base::ParseTime(TextField(body, "expireTime"));
    return Fresh{TextField(body, "accessToken"),
                 expires.has_value() ? *expires - Now() : absl::Hours(1)};
  }

  HttpClient* http_ = nullptr;
  std::string url_;
  std::unique_ptr<Credentials> source_;
};

class MachineCredentials final : public Credentials {
 public:
  MachineCredentials(std::string host, HttpClient* http,
                     const base::Clock* clock)
      : Credentials(clock), host_(std::move(host)), http_(http) {}

 private:
  absl::StatusOr<Fresh> Fetch() override {
    HttpRequest request;
    ASSIGN_OR_RETURN(
        request.url,
        ParseUrl(base::StrCat("http://", host_,
                              "/computeMetadata/v1/instance/service-accounts/"
                              "default/token")));
    request.headers = {{"Metadata-Flavor", "Google"}};
    ASSIGN_OR_RETURN(const HttpReply reply, http_->Send(request));
    ASSIGN_OR_RETURN(TokenEndpoint::Reply token,
                     TokenEndpoint::Read("the machine", reply));
    return Fresh{std::move(token.token), token.lifetime};
  }

  const std::string host_;
  HttpClient* const http_;
};

}  // namespace

absl::StatusOr<std::string> Credentials::Token() {
  if (!token_.empty() && Now() + kEarly < expires_) return token_;
  const absl::Time asked = Now();
  ASSIGN_OR_RETURN(Fresh fresh, Fetch());
  token_ = std::move(fresh.token);
  expires_ = asked + fresh.lifetime;
  return token_;
}

absl::StatusOr<std::unique_ptr<Credentials>> CredentialsFromJson(
    std::string_view text, HttpClient* http, const base::Clock* clock) {
  boost::system::error_code error;
  const json::value file =
      json::parse(json::string_view(text.data(), text.size()), error);
  if (error) {
    return absl::InvalidArgumentError("read credentials: they are no JSON");
  }
  const std::string type = TextField(file, "type");
  if (type == "authorized_user")
    return UserCredentials::Make(file, http, clock);
  if (type == "service_account") return KeyCredentials::Make(file, http, clock);
  if (type == "impersonated_service_account") {
    return ImpersonatedCredentials::Make(file, http, clock);
  }
  return absl::InvalidArgumentError(base::StrCat(
      "read credentials: 'type' is '", type,
      "'; authorized_user, service_account and impersonated_service_account "
      "are known"));
}

absl::StatusOr<std::unique_ptr<Credentials>> DefaultCredentials(
    const Environment& environment, HttpClient* http,
    const base::Clock* clock) {
  std::string path = environment("GOOGLE_APPLICATION_CREDENTIALS").value_or("");
  const bool named = !path.empty();
  if (!named) {
    std::string folder = environment("CLOUDSDK_CONFIG").value_or("");
    if (folder.empty()) {
      folder = environment("HOME").value_or("") + "/.config/gcloud";
    }
    path = folder + "/application_default_credentials.json";
  }
  std::ifstream file(path);
  if (file) {
    std::stringstream text;
    text << file.rdbuf();
    absl::StatusOr<std::unique_ptr<Credentials>> out =
        CredentialsFromJson(text.str(), http, clock);
    if (out.ok()) return out;
    return absl::InvalidArgumentError(
        base::StrCat("file '", path, "': ", out.status().message()));
  }
  if (named) {
    return absl::NotFoundError(base::StrCat(
        "read credentials '", path,
        "': there is no such file; GOOGLE_APPLICATION_CREDENTIALS names it"));
  }
  const auto metadata = environment("GCE_METADATA_HOST");
  if (metadata.has_value()) {
    return std::make_unique<MachineCredentials>(*metadata, http, clock);
  }
  return absl::NotFoundError(
      "find credentials: there are none; run this with 'brume run', or sign in "
      "with 'gcloud auth application-default login'");
}

}  // namespace brume::client
