#include "services/oauth/authenticator.h"

#include "services/oauth/test_account.h"
#include "store/kv/memory_kv_store.h"

#include <gtest/gtest.h>

namespace brume::services::oauth {
namespace {

constexpr char kHost[] = "cloudresourcemanager.googleapis.com";

class AuthenticatorTest : public testing::Test {
 protected:
  boost::json::object Claims() {
    boost::json::object claims = TestAccount::Claims(clock_.Now());
    claims["sub"] = TestAccount::kEmail;
    claims["aud"] = std::string("https://") + kHost + "/";
    return claims;
  }
  absl::Status Try(const boost::json::object& claims,
                   std::string_view host = kHost) {
    return authenticator_.Authenticate(account_.Sign(claims), host).status();
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  TokenStore tokens_{{.kv = &kv_, .clock = &clock_}};
  TestAccount account_;
  Authenticator authenticator_{
      {.tokens = &tokens_, .accounts = account_.accounts(), .clock = &clock_}};
};

TEST_F(AuthenticatorTest, SelfSignedTokensCountAtTheirAudience) {
  const auto holder =
      authenticator_.Authenticate(account_.Sign(Claims()), kHost);
  ASSERT_TRUE(holder.ok()) << holder.status();
  EXPECT_EQ(holder->email, TestAccount::kEmail);
  EXPECT_EQ(holder->subject, TestAccount::kId);
  EXPECT_TRUE(holder->service_account);
  EXPECT_TRUE(absl::IsUnauthenticated(Try(Claims(), "iam.googleapis.com")));
}

TEST_F(AuthenticatorTest, SelfSignedTokensWithScopesCountEverywhere) {
  boost::json::object claims = Claims();
  claims.erase("aud");
  claims["scope"] = "https://www.googleapis.com/auth/cloud-platform";
  EXPECT_TRUE(Try(claims, "us-central1-aiplatform.googleapis.com").ok());
}

TEST_F(AuthenticatorTest, FaultySelfSignedTokensAreRefused) {
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const auto with = [this](std::string_view name, boost::json::value value) {
    boost::json::object claims = Claims();
    claims[boost::json::string_view(name.data(), name.size())] =
        std::move(value);
    return Try(claims);
  };
  EXPECT_TRUE(with("iat", now).ok());
  EXPECT_FALSE(with("sub", "else@x.com").ok());
  EXPECT_FALSE(with("exp", now + 3700).ok());
  EXPECT_FALSE(with("iat", now + 400).ok());
  EXPECT_FALSE(with("exp", std::numeric_limits<int64_t>::min()).ok());
  EXPECT_FALSE(with("iat", std::numeric_limits<int64_t>::min()).ok());
  EXPECT_FALSE(
      authenticator_.Authenticate(account_.Sign(Claims(), "bbbb"), kHost).ok());
  const std::string good = account_.Sign(Claims());
  EXPECT_FALSE(
      authenticator_
          .Authenticate(good.substr(0, good.size() - 6) + "AAAAAA", kHost)
          .ok());
  clock_.Advance(absl::Minutes(66));
  const absl::Status expired =
      authenticator_.Authenticate(good, kHost).status();
  EXPECT_TRUE(absl::IsUnauthenticated(expired));
  EXPECT_EQ(expired.message(), "JWT expired");
}

TEST_F(AuthenticatorTest, DisabledAndReplacedAccountsHoldNothing) {
  brume::oauth::TokenRecord record;
  record.set_email(TestAccount::kEmail);
  record.set_subject(TestAccount::kId);
  record.set_service_account(true);
  const auto access = tokens_.MintAccess(record, absl::Hours(1));
  ASSERT_TRUE(access.ok());
  EXPECT_TRUE(authenticator_.Authenticate(access->token, kHost).ok());
  account_.disabled = true;
  EXPECT_FALSE(authenticator_.Authenticate(access->token, kHost).ok());
  EXPECT_FALSE(Try(Claims()).ok());
  account_.disabled = false;
  account_.id = "100000000000000000002";
  EXPECT_FALSE(authenticator_.Authenticate(access->token, kHost).ok());
}

TEST_F(AuthenticatorTest, NothingIsHeldByNobody) {
  for (const char* token : {"", "x", "a.b.c", "ya29.none", "\xff.\xff.\xff"}) {
    EXPECT_TRUE(absl::IsUnauthenticated(
        authenticator_.Authenticate(token, kHost).status()))
        << token;
  }
}

TEST(AudienceTest, CoversTheServiceAndItsRegions) {
  const char* vertex = "https://aiplatform.googleapis.com/";
  for (const char* host :
       {"aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com",
        "aiplatform.mtls.googleapis.com", "aiplatform.us.rep.googleapis.com",
        ""}) {
    EXPECT_TRUE(AudienceCovers(vertex, host)) << host;
  }
  EXPECT_TRUE(AudienceCovers("https://pubsub.googleapis.com/google.pubsub.v1.X",
                             "pubsub.googleapis.com"));
  EXPECT_TRUE(
      AudienceCovers("https://pubsub.googleapis.com", "pubsub.googleapis.com"));
  for (const char* audience :
       {"https://iam.googleapis.com/", "http://aiplatform.googleapis.com/",
        "https://evil.com/", "https://googleapis.com/", "https://", ""}) {
    EXPECT_FALSE(AudienceCovers(audience, "aiplatform.googleapis.com"))
        << audience;
  }
  EXPECT_FALSE(AudienceCovers("https://evil.com/", ""));
}

}  // namespace
}  // namespace brume::services::oauth
