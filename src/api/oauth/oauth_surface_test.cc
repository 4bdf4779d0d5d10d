#include "api/oauth/oauth_surface.h"

#include "services/oauth/owner.h"
#include "services/oauth/test_account.h"
#include "store/kv/memory_kv_store.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace brume::api::oauth {
namespace {

namespace so = services::oauth;

class OAuthSurfaceTest : public testing::Test {
 protected:
  Response Send(const std::string& method, const std::string& host,
                const std::string& target, const std::string& body = "",
                Headers headers = {}) {
    RequestHead head;
    head.method = method;
    head.host = host;
    head.target = target;
    head.headers = std::move(headers);
    EXPECT_TRUE(surface_.Owns(head)) << host << target;
    Begun begun = surface_.Begin(std::move(head));
    if (auto* response = std::get_if<Response>(&begun)) {
      return std::move(*response);
    }
    auto& sink = *std::get<std::unique_ptr<BodySink>>(begun);
    if (auto early = sink.Write(body)) return *std::move(early);
    Outcome outcome = sink.Finish();
    return std::move(std::get<Response>(outcome));
  }
  static boost::json::object Body(const Response& response) {
    return boost::json::parse(std::get<std::string>(response.body)).as_object();
  }
  static std::string Text(const boost::json::object& body,
                          std::string_view name) {
    const auto* value = body.if_contains({name.data(), name.size()});
    return value == nullptr ? "" : std::string(value->as_string());
  }
  std::string OwnerForm() {
    const auto owner = so::EnsureOwner(kv_);
    return "grant_type=refresh_token&client_id=" + owner->client_id +
           "&client_secret=" + owner->client_secret +
           "&refresh_token=" + owner->refresh_token;
  }
  std::string OwnerToken() {
    return Text(
        Body(Send("POST", "oauth2.googleapis.com", "/token", OwnerForm())),
        "access_token");
  }
  boost::json::object Assertion() {
    boost::json::object claims = so::TestAccount::Claims(clock_.Now());
    claims["aud"] = "https://oauth2.googleapis.com/token";
    return claims;
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  so::TokenStore tokens_{{.kv = &kv_, .clock = &clock_}};
  so::IdentityTokens identity_{{.kv = &kv_, .clock = &clock_}};
  so::TestAccount account_;
  so::TokenEndpoint endpoint_{{.tokens = &tokens_,
                               .identity = &identity_,
                               .accounts = account_.accounts(),
                               .clock = &clock_}};
  so::Authenticator authenticator_{
      {.tokens = &tokens_, .accounts = account_.accounts(), .clock = &clock_}};
  OAuthSurface surface_{
      {.endpoint = &endpoint_,
       .tokens = &tokens_,
       .identity = &identity_,
       .authenticator = &authenticator_,
       .certificates = [this](std::string_view email)
           -> absl::StatusOr<std::vector<Certificate>> {
         if (email != so::TestAccount::kEmail) {
           return absl::NotFoundError("Not Found");
         }
         return std::vector<Certificate>{
             {so::TestAccount::kKeyId,
              account_.key.CertificatePem("x", clock_.Now(),
                                          clock_.Now() + absl::Hours(1))}};
       },
       .clock = &clock_}};
};

TEST_F(OAuthSurfaceTest, EveryNameOfTheTokenEndpointAnswers) {
  const std::string form = OwnerForm();
  for (const auto& [host, path] :
       std::vector<std::pair<std::string, std::string>>{
           {"oauth2.googleapis.com", "/token"},
           {"www.googleapis.com", "/oauth2/v4/token"},
           {"accounts.google.com", "/o/oauth2/token"}}) {
    const Response response = Send("POST", host, path, form);
    EXPECT_EQ(response.status, 200);
    const auto body = Body(response);
    EXPECT_EQ(body.at("expires_in").as_int64(), 3599);
    EXPECT_EQ(Text(body, "token_type"), "Bearer");
    EXPECT_FALSE(Text(body, "id_token").empty());
    EXPECT_NE(response.headers.Get("cache-control")->find("no-store"),
              std::string_view::npos);
  }
}

TEST_F(OAuthSurfaceTest, AssertionsComeAsFormsOrJson) {
  boost::json::object claims = Assertion();
  claims["scope"] = "https://www.googleapis.com/auth/cloud-platform";
  const std::string form =
      "assertion=" + account_.Sign(claims) +
      "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
  const Response first = Send("POST", "oauth2.googleapis.com", "/token", form);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(Body(first).size(), 3U);
  Headers headers;
  headers.Add("Content-Type", "application/json");
  const std::string json =
      R"({"grant_type":"urn:ietf:params:oauth:grant-type:jwt-bearer",)"
      R"("assertion":")" +
      account_.Sign(claims) + "\"}";
  EXPECT_EQ(
      Send("POST", "oauth2.googleapis.com", "/token", json, headers).status,
      200);
  claims.erase("scope");
  claims["target_audience"] = "https://x.run.app";
  const auto body = Body(Send("POST", "oauth2.googleapis.com", "/token",
                              "grant_type=urn:ietf:params:oauth:grant-type:"
                              "jwt-bearer&assertion=" +
                                  account_.Sign(claims)));
  EXPECT_EQ(body.size(), 1U);
  EXPECT_FALSE(Text(body, "id_token").empty());
}

TEST_F(OAuthSurfaceTest, ErrorsHaveTheShapeOfRfc6749) {
  const Response missing =
      Send("POST", "oauth2.googleapis.com", "/token", "a=b");
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(Text(Body(missing), "error"), "invalid_request");
  const Response client = Send("POST", "oauth2.googleapis.com", "/token",
                               OwnerForm() + "x&client_id=1");
  EXPECT_EQ(client.status, 400);
  EXPECT_EQ(Text(Body(client), "error"), "invalid_grant");
  EXPECT_EQ(Send("POST", "oauth2.googleapis.com", "/token", "%zz").status, 400);
  EXPECT_EQ(Send("POST", "oauth2.googleapis.com", "/token",
                 std::string(65 << 10, 'a'))
                .status,
            413);
  EXPECT_EQ(Send("GET", "oauth2.googleapis.com", "/token").status, 405);
  EXPECT_EQ(Send("GET", "oauth2.googleapis.com", "/nope").status, 404);
  EXPECT_EQ(Send("GET", "accounts.google.com", "/o/oauth2/auth?x=y").status,
            400);
}

TEST_F(OAuthSurfaceTest, TokenInfoTellsWhoseATokenIs) {
  const std::string token = OwnerToken();
  auto info = Body(
      Send("GET", "oauth2.googleapis.com", "/tokeninfo?access_token=" + token));
  EXPECT_EQ(Text(info, "email"), "owner@brume.local");
  EXPECT_EQ(Text(info, "email_verified"), "true");
  EXPECT_EQ(Text(info, "expires_in"), "3600");
  EXPECT_EQ(Text(info, "exp"), "1800003600");
  info = Body(Send("POST", "www.googleapis.com", "/oauth2/v1/tokeninfo",
                   "access_token=" + token));
  EXPECT_EQ(info.at("expires_in").as_int64(), 3600);
  EXPECT_TRUE(info.at("verified_email").as_bool());
  EXPECT_EQ(Text(info, "user_id").size(), 21U);

  const Response wrong =
      Send("GET", "oauth2.googleapis.com", "/tokeninfo?access_token=ya29.nope");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(Text(Body(wrong), "error"), "invalid_token");
  EXPECT_EQ(Text(Body(wrong), "error_description"), "Invalid Value");
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(
      Send("GET", "oauth2.googleapis.com", "/tokeninfo?access_token=" + token)
          .status,
      400);
}

TEST_F(OAuthSurfaceTest, IdentityTokensAreChecked) {
  const auto token = identity_.Sign({.audience = "aud",
                                     .authorized_party = "azp",
                                     .subject = "1",
                                     .email = "a@b.c"});
  ASSERT_TRUE(token.ok());
  const auto info = Body(
      Send("GET", "oauth2.googleapis.com", "/tokeninfo?id_token=" + *token));
  EXPECT_EQ(Text(info, "aud"), "aud");
  EXPECT_EQ(Text(info, "exp"), "1800003600");
  EXPECT_EQ(Text(info, "alg"), "RS256");
  // One that a service account signed is none of Google's.
  EXPECT_EQ(Send("GET", "oauth2.googleapis.com",
                 "/tokeninfo?id_token=" + account_.Sign(Assertion()))
                .status,
            400);
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(
      Send("GET", "oauth2.googleapis.com", "/tokeninfo?id_token=" + *token)
          .status,
      400);
}

TEST_F(OAuthSurfaceTest, UserInfoNeedsATokenWithIdentity) {
  Headers headers;
  headers.Add("Authorization", "Bearer " + OwnerToken());
  auto info = Body(
      Send("GET", "openidconnect.googleapis.com", "/v1/userinfo", "", headers));
  EXPECT_EQ(Text(info, "email"), "owner@brume.local");
  EXPECT_EQ(Text(info, "sub").size(), 21U);
  info = Body(
      Send("GET", "www.googleapis.com", "/oauth2/v2/userinfo", "", headers));
  EXPECT_EQ(Text(info, "id").size(), 21U);
  EXPECT_TRUE(info.at("verified_email").as_bool());
  EXPECT_EQ(Send("GET", "openidconnect.googleapis.com", "/v1/userinfo").status,
            401);
  EXPECT_EQ(Send("GET", "www.googleapis.com", "/oauth2/v2/userinfo").status,
            401);
  const std::string narrow =
      Text(Body(Send("POST", "oauth2.googleapis.com", "/token",
                     OwnerForm() + "&scope=https://www.googleapis.com/auth/"
                                   "devstorage.read_only")),
           "access_token");
  Headers narrow_headers;
  narrow_headers.Add("Authorization", "Bearer " + narrow);
  EXPECT_EQ(Send("GET", "openidconnect.googleapis.com", "/v1/userinfo", "",
                 narrow_headers)
                .status,
            403);
}

TEST_F(OAuthSurfaceTest, RevokedTokensEnd) {
  const std::string token = OwnerToken();
  const auto owner = so::EnsureOwner(kv_);
  EXPECT_EQ(Send("POST", "oauth2.googleapis.com",
                 "/revoke?token=" + owner->refresh_token)
                .status,
            200);
  EXPECT_FALSE(authenticator_.Authenticate(token, "").ok());
  const Response again = Send("POST", "oauth2.googleapis.com",
                              "/revoke?token=" + owner->refresh_token);
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(Text(Body(again), "error"), "invalid_token");
  EXPECT_EQ(Send("POST", "oauth2.googleapis.com", "/revoke").status, 400);
}

TEST_F(OAuthSurfaceTest, KeysArePublished) {
  auto keys = Body(Send("GET", "www.googleapis.com", "/oauth2/v1/certs"));
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(std::string(keys.begin()->value().as_string()).substr(0, 27),
            "-----BEGIN CERTIFICATE-----");
  keys = Body(Send("GET", "www.googleapis.com", "/oauth2/v3/certs"));
  const auto& jwk = keys.at("keys").as_array().at(0).as_object();
  EXPECT_EQ(Text(jwk, "kty"), "RSA");
  EXPECT_EQ(Text(jwk, "e"), "AQAB");
  EXPECT_EQ(Text(jwk, "kid"), identity_.Key()->id);

  const std::string email = "ml%40my-project.iam.gserviceaccount.com";
  for (const std::string& path :
       {"/robot/v1/metadata/x509/" + email,
        "/service_accounts/v1/metadata/x509/" + email}) {
    EXPECT_EQ(Text(Body(Send("GET", "www.googleapis.com", path)), "aaaa")
                  .substr(0, 10),
              "-----BEGIN");
  }
  keys = Body(
      Send("GET", "www.googleapis.com", "/service_accounts/v1/jwk/" + email));
  EXPECT_EQ(keys.at("keys").as_array().size(), 1U);
  EXPECT_EQ(
      Send("GET", "www.googleapis.com", "/robot/v1/metadata/x509/who@x.com")
          .status,
      404);
}

TEST_F(OAuthSurfaceTest, OfSharedHostsOnlyItsPathsAreIts) {
  RequestHead head;
  head.host = "www.googleapis.com";
  head.target = "/storage/v1/b";
  EXPECT_FALSE(surface_.Owns(head));
  head.target = "/oauth2/v3/certs?x";
  EXPECT_TRUE(surface_.Owns(head));
  head.host = "storage.googleapis.com";
  EXPECT_FALSE(surface_.Owns(head));
}

}  // namespace
}  // namespace brume::api::oauth
