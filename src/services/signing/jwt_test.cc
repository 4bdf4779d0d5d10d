#include "services/signing/jwt.h"

#include "base/encoding.h"
#include "base/str_cat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::services::signing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Token(std::string_view header, std::string_view payload,
                  std::string_view signature = "sig") {
  return base::StrCat(base::Base64UrlEncode(header), ".",
                      base::Base64UrlEncode(payload), ".",
                      base::Base64UrlEncode(signature));
}

TEST(JwtTest, SignedTokenReadsBackAndVerifies) {
  const RsaPrivateKey key = RsaPrivateKey::Generate();
  const std::string token = SignJwt(
      key, "k1",
      R"({"iss":"a@b","sub":"a@b","aud":"https://x/","iat":1,"exp":2,"scope":"s t"})");

  const auto jwt = ParseJwt(token);

  ASSERT_TRUE(jwt.ok()) << jwt.status();
  EXPECT_TRUE(LooksLikeJwt(token));
  EXPECT_EQ(jwt->algorithm, "RS256");
  EXPECT_EQ(jwt->key_id, "k1");
  EXPECT_EQ(jwt->claims.issuer, "a@b");
  EXPECT_THAT(jwt->claims.audiences, ElementsAre("https://x/"));
  EXPECT_EQ(jwt->claims.issued_at, 1);
  EXPECT_EQ(jwt->claims.expires_at, 2);
  EXPECT_EQ(jwt->claims.scope, "s t");
  EXPECT_TRUE(key.PublicKey().Verifies(jwt->signed_part, jwt->signature));
}

TEST(JwtTest, ErrorsNameThePart) {
  const auto message = [](std::string_view token) {
    return std::string(ParseJwt(token).status().message());
  };
  EXPECT_THAT(message("a.b"), HasSubstr("not 3 parts"));
  EXPECT_THAT(message("a.b.c.d"), HasSubstr("not 3 parts"));
  EXPECT_THAT(message(Token("[]", "{}")), HasSubstr("header"));
  EXPECT_THAT(message(Token("{}", "{")), HasSubstr("payload"));
  EXPECT_THAT(message(Token("{}", R"({"exp":"x"})")), HasSubstr("'exp'"));
  EXPECT_THAT(message(Token("{}", R"({"exp":1e300})")), HasSubstr("'exp'"));
  EXPECT_THAT(message(Token("{}", R"({"aud":[1]})")), HasSubstr("'aud'"));
  EXPECT_THAT(message(Token("{}", "{}") + "="), HasSubstr("signature"));
  EXPECT_THAT(message(std::string(20'000, 'a')), HasSubstr("too long"));
}

TEST(JwtTest, AudienceMayBeAListAndTimesMayHaveFractions) {
  const auto jwt = ParseJwt(Token("{}", R"({"aud":["a","b"],"iat":12.75})"));

  ASSERT_TRUE(jwt.ok());
  EXPECT_THAT(jwt->claims.audiences, ElementsAre("a", "b"));
  EXPECT_EQ(jwt->claims.issued_at, 12);
}

TEST(JwtTest, OpaqueTokensAreNotJwts) {
  EXPECT_FALSE(LooksLikeJwt("ya29.a.b"));
  EXPECT_FALSE(LooksLikeJwt("eyJhbGciOi"));
  EXPECT_FALSE(LooksLikeJwt("eyJ.a.b.c"));
}

}  // namespace
}  // namespace brume::services::signing
