#include "services/oauth/token_endpoint.h"

#include "services/errors/errors.h"
#include "services/oauth/authenticator.h"
#include "services/oauth/owner.h"
#include "services/oauth/test_account.h"
#include "store/kv/memory_kv_store.h"

#include <google/rpc/error_details.pb.h>
#include <gtest/gtest.h>

namespace brume::services::oauth {
namespace {

constexpr char kGrant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";

// "invalid_grant: Bad Request".
std::string Said(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  for (const auto& detail : DetailsOf(status)) detail.UnpackTo(&info);
  return info.reason() + ": " + std::string(status.message());
}

class TokenEndpointTest : public testing::Test {
 protected:
  boost::json::object Claims() {
    boost::json::object claims = TestAccount::Claims(clock_.Now());
    claims["aud"] = "https://oauth2.googleapis.com/token";
    claims["scope"] = "openid https://www.googleapis.com/auth/cloud-platform";
    return claims;
  }
  absl::StatusOr<TokenEndpoint::Reply> Bearer(
      const boost::json::object& claims) {
    return endpoint_.Exchange(
        {{"grant_type", kGrant}, {"assertion", account_.Sign(claims)}});
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  TokenStore tokens_{{.kv = &kv_, .clock = &clock_}};
  IdentityTokens identity_{{.kv = &kv_, .clock = &clock_}};
  TestAccount account_;
  TokenEndpoint endpoint_{{.tokens = &tokens_,
                           .identity = &identity_,
                           .accounts = account_.accounts(),
                           .clock = &clock_}};
};

TEST_F(TokenEndpointTest, AnAssertionWithScopesGivesAnAccessToken) {
  const auto reply = Bearer(Claims());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->expires_in, 3599);
  EXPECT_EQ(reply->token_type, "Bearer");
  EXPECT_TRUE(reply->id_token.empty());
  const auto held = tokens_.FindAccess(reply->access_token);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->email(), TestAccount::kEmail);
  EXPECT_EQ(held->scopes_size(), 2);
}

TEST_F(TokenEndpointTest, AnAssertionWithAnAudienceGivesAnIdentityToken) {
  boost::json::object claims = Claims();
  claims.erase("scope");
  claims["target_audience"] = "32555940559.apps.googleusercontent.com";
  const auto reply = Bearer(claims);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->access_token.empty());
  const auto jwt = signing::ParseJwt(reply->id_token);
  ASSERT_TRUE(jwt.ok());
  EXPECT_EQ(jwt->claims.issuer, "https://accounts.google.com");
  EXPECT_EQ(jwt->claims.audiences.at(0),
            "32555940559.apps.googleusercontent.com");
  EXPECT_EQ(jwt->claims.email, TestAccount::kEmail);
  const auto key = identity_.Key();
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(jwt->key_id, key->id);
  EXPECT_TRUE(key->key.Verifies(jwt->signed_part, jwt->signature));
}

TEST_F(TokenEndpointTest, FaultyAssertionsAreRefusedInGooglesWords) {
  const auto with = [this](std::string_view name, boost::json::value value) {
    boost::json::object claims = Claims();
    claims[boost::json::string_view(name.data(), name.size())] =
        std::move(value);
    return Said(Bearer(claims).status());
  };
  const std::string times =
      "invalid_grant: Invalid JWT: Token must be a short-lived token (60 "
      "minutes) and in a reasonable timeframe. Check your iat and exp values "
      "in the JWT claim.";
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  EXPECT_EQ(with("exp", now + 7200), times);
  EXPECT_EQ(with("exp", now - 7200), times);
  EXPECT_EQ(with("iss", "who@my-project.iam.gserviceaccount.com"),
            "invalid_grant: Invalid grant: account not found");
  EXPECT_EQ(with("aud", "https://example.com"),
            "invalid_grant: Invalid JWT: Failed audience check. The right "
            "audience is https://oauth2.googleapis.com/token");
  EXPECT_EQ(with("scope", "cloud-platform"),
            "invalid_scope: Invalid OAuth scope or ID token audience "
            "provided.");
  EXPECT_EQ(with("sub", "boss@example.com").substr(0, 20),
            "unauthorized_client:");
  EXPECT_EQ(Said(endpoint_
                     .Exchange({{"grant_type", kGrant},
                                {"assertion", account_.Sign(Claims(), "b")}})
                     .status()),
            "invalid_grant: Invalid JWT Signature.");
  EXPECT_EQ(
      Said(endpoint_.Exchange({{"grant_type", kGrant}, {"assertion", "x.y"}})
               .status()),
      "invalid_grant: Bad Request");
  account_.disabled = true;
  EXPECT_EQ(Said(Bearer(Claims()).status()),
            "invalid_grant: Invalid grant: account is disabled");
}

TEST_F(TokenEndpointTest, TheOwnersRefreshTokenGivesAccess) {
  const auto owner = EnsureOwner(kv_);
  ASSERT_TRUE(owner.ok());
  TokenEndpoint::Form form = {{"grant_type", "refresh_token"},
                              {"client_id", owner->client_id},
                              {"client_secret", owner->client_secret},
                              {"refresh_token", owner->refresh_token}};
  const auto reply = endpoint_.Exchange(form);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->scope.substr(0, 7), "openid ");
  const auto id = signing::ParseJwt(reply->id_token);
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->claims.email, "owner@brume.local");
  EXPECT_EQ(id->claims.audiences.at(0), owner->client_id);
  const auto held = tokens_.FindAccess(reply->access_token);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->email(), "owner@brume.local");

  form["scope"] = "https://www.googleapis.com/auth/devstorage.read_only";
  const auto narrow = endpoint_.Exchange(form);
  ASSERT_TRUE(narrow.ok());
  EXPECT_EQ(narrow->scope, form["scope"]);
  EXPECT_TRUE(narrow->id_token.empty());
}

TEST_F(TokenEndpointTest, FaultyRefreshesAreRefusedInGooglesWords) {
  const auto owner = EnsureOwner(kv_);
  ASSERT_TRUE(owner.ok());
  const auto with = [&](std::string name, std::string value) {
    TokenEndpoint::Form form = {{"grant_type", "refresh_token"},
                                {"client_id", owner->client_id},
                                {"client_secret", owner->client_secret},
                                {"refresh_token", owner->refresh_token}};
    form[std::move(name)] = std::move(value);
    return Said(endpoint_.Exchange(form).status());
  };
  EXPECT_EQ(with("refresh_token", "1//0nope"), "invalid_grant: Bad Request");
  EXPECT_EQ(with("client_id", "else.apps.googleusercontent.com"),
            "invalid_client: The OAuth client was not found.");
  EXPECT_EQ(with("client_secret", ""),
            "invalid_client: The provided client secret is invalid.");
  EXPECT_EQ(with("client_id", ""),
            "invalid_request: Could not determine client ID from request.");
  EXPECT_EQ(with("grant_type", ""),
            "invalid_request: Required parameter is missing: grant_type");
  EXPECT_EQ(with("grant_type", "password"),
            "unsupported_grant_type: Invalid grant_type: password");
}

}  // namespace
}  // namespace brume::services::oauth
