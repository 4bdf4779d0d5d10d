#include "services/iam/credentials_service.h"

#include "services/iam/test_project.h"
#include "services/signing/jwt.h"

#include <gtest/gtest.h>

namespace brume::services::iam {
namespace {

namespace v1 = google::iam::credentials::v1;

constexpr char kEmail[] = "ml-trainer@my-project.iam.gserviceaccount.com";
constexpr char kName[] =
    "projects/-/serviceAccounts/ml-trainer@my-project.iam.gserviceaccount.com";

class CredentialsServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(project_.accounts.Create("my-project", "ml-trainer", {}).ok());
  }
  v1::GenerateAccessTokenRequest Request() {
    v1::GenerateAccessTokenRequest request;
    request.set_name(kName);
    request.add_scope("https://www.googleapis.com/auth/cloud-platform");
    return request;
  }
  signing::RsaPublicKey PublicKey(const std::string& key_id) {
    const auto keys = project_.keys.Valid(kEmail, key_id);
    return *signing::RsaPublicKey::FromPem(keys->at(0).certificate_pem());
  }

  TestProject project_;
  std::string minted_for_;
  CredentialsService service_{
      {.clock = &project_.clock,
       .accounts = &project_.accounts,
       .keys = &project_.keys,
       .mint_access_token =
           [this](const google::iam::admin::v1::ServiceAccount& account,
                  const std::vector<std::string>&, absl::Duration lifetime,
                  std::string_view impersonator)
           -> absl::StatusOr<CredentialsService::AccessToken> {
         minted_for_ = account.email() + " by " + std::string(impersonator);
         return CredentialsService::AccessToken{
             "ya29.c.x", project_.clock.Now() + lifetime};
       },
       .sign_identity_token =
           [](const google::iam::admin::v1::ServiceAccount& account,
              std::string_view audience,
              bool include_email) -> absl::StatusOr<std::string> {
         return std::string(audience) +
                (include_email ? " " + account.email() : "");
       }}};
};

TEST_F(CredentialsServiceTest, AccessTokensLiveAnHourAtMost) {
  auto request = Request();
  const auto reply = service_.GenerateAccessToken(request, "owner@brume.local");
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(minted_for_, std::string(kEmail) + " by owner@brume.local");
  EXPECT_EQ(reply->expire_time().seconds(), 1'800'003'600);
  EXPECT_EQ(reply->expire_time().nanos(), 0);
  request.mutable_lifetime()->set_seconds(1800);
  EXPECT_EQ(service_.GenerateAccessToken(request, "o")->expire_time().seconds(),
            1'800'001'800);
  for (const int64_t bad :
       {int64_t{3601}, int64_t{43200}, int64_t{0}, int64_t{-5}}) {
    request.mutable_lifetime()->set_seconds(bad);
    EXPECT_TRUE(absl::IsInvalidArgument(
        service_.GenerateAccessToken(request, "o").status()))
        << bad;
  }
}

TEST_F(CredentialsServiceTest, AccountsMustBeThere) {
  auto request = Request();
  request.set_name(
      "projects/-/serviceAccounts/who@my-project.iam.gserviceaccount.com");
  EXPECT_EQ(service_.GenerateAccessToken(request, "o").status().message(),
            "Not found; Gaia id not found for email "
            "who@my-project.iam.gserviceaccount.com");
  request.set_name(std::string("projects/my-project/serviceAccounts/") +
                   kEmail);
  EXPECT_TRUE(absl::IsInvalidArgument(
      service_.GenerateAccessToken(request, "o").status()));
  request = Request();
  request.add_delegates("projects/-/serviceAccounts/who@x.com");
  EXPECT_TRUE(
      absl::IsNotFound(service_.GenerateAccessToken(request, "o").status()));
  request.set_delegates(0, kName);
  EXPECT_TRUE(service_.GenerateAccessToken(request, "o").ok());
  request.clear_scope();
  EXPECT_FALSE(service_.GenerateAccessToken(request, "o").ok());
  request.add_scope("cloud platform");
  EXPECT_FALSE(service_.GenerateAccessToken(request, "o").ok());
}

TEST_F(CredentialsServiceTest, SignaturesVerifyWithThePublishedKey) {
  v1::SignBlobRequest blob;
  blob.set_name(kName);
  blob.set_payload("bytes\0more");
  const auto signed_blob = service_.SignBlob(blob);
  ASSERT_TRUE(signed_blob.ok()) << signed_blob.status();
  EXPECT_TRUE(PublicKey(signed_blob->key_id())
                  .Verifies(blob.payload(), signed_blob->signed_blob()));

  v1::SignJwtRequest jwt;
  jwt.set_name(kName);
  jwt.set_payload(R"({"iss":"me","exp":1800003600})");
  const auto signed_jwt = service_.SignJwt(jwt);
  ASSERT_TRUE(signed_jwt.ok()) << signed_jwt.status();
  const auto parsed = signing::ParseJwt(signed_jwt->signed_jwt());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->claims.issuer, "me");
  EXPECT_EQ(parsed->key_id, signed_jwt->key_id());
  EXPECT_TRUE(PublicKey(parsed->key_id)
                  .Verifies(parsed->signed_part, parsed->signature));
}

TEST_F(CredentialsServiceTest, PayloadsThatAreNoClaimsAreRefused) {
  v1::SignJwtRequest jwt;
  jwt.set_name(kName);
  for (const char* bad :
       {"", "x", "[]", "{", R"({"exp":"soon"})", R"({"exp":1799999999})",
        R"({"exp":1800043201})", R"({"exp":1e300})"}) {
    jwt.set_payload(bad);
    EXPECT_TRUE(absl::IsInvalidArgument(service_.SignJwt(jwt).status())) << bad;
  }
}

TEST_F(CredentialsServiceTest, IdentityTokensAndLocations) {
  v1::GenerateIdTokenRequest id;
  id.set_name(kName);
  EXPECT_FALSE(service_.GenerateIdToken(id).ok());
  id.set_audience("https://x.run.app");
  EXPECT_EQ(service_.GenerateIdToken(id)->token(), "https://x.run.app");
  id.set_include_email(true);
  EXPECT_EQ(service_.GenerateIdToken(id)->token(),
            std::string("https://x.run.app ") + kEmail);
  brume::iam::GetAllowedLocationsRequest locations;
  locations.set_name(kName);
  EXPECT_EQ(service_.GetAllowedLocations(locations)->encoded_locations(),
            "0x0");
}

TEST_F(CredentialsServiceTest, DisabledAccountsGiveNothing) {
  ASSERT_TRUE(project_.accounts
                  .Update({"-", kEmail},
                          [](google::iam::admin::v1::ServiceAccount& account) {
                            account.set_disabled(true);
                            return absl::OkStatus();
                          })
                  .ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(
      service_.GenerateAccessToken(Request(), "o").status()));
}

}  // namespace
}  // namespace brume::services::iam
