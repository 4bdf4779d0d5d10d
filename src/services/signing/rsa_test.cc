#include "services/signing/rsa.h"

#include "base/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::services::signing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(RsaTest, KeySurvivesPemAndVerifiesWhatItSigned) {
  const RsaPrivateKey key = RsaPrivateKey::Generate();
  const std::string pem = key.Pkcs8Pem();
  EXPECT_THAT(pem, StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  const auto again = RsaPrivateKey::FromPem(pem);
  ASSERT_TRUE(again.ok());

  const std::string signature = again->Sign("message");

  EXPECT_EQ(signature.size(), 256u);
  EXPECT_TRUE(key.PublicKey().Verifies("message", signature));
  EXPECT_FALSE(key.PublicKey().Verifies("massage", signature));
  EXPECT_FALSE(key.PublicKey().Verifies("message", ""));
}

TEST(RsaTest, CertificateCarriesThePublicKey) {
  const RsaPrivateKey key = RsaPrivateKey::Generate();
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const std::string pem = key.CertificatePem(
      "a-very-long-account-name-here@a-very-long-project-name-1.iam."
      "gserviceaccount.com",
      now, now + absl::Hours(24));

  const auto read = RsaPublicKey::FromPem(pem);

  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->Pem(), key.PublicKey().Pem());
  EXPECT_EQ(read->Modulus().size(), 256u);
  EXPECT_EQ(base::HexEncode(read->Exponent()), "010001");
}

TEST(RsaTest, GarbageIsRefusedByName) {
  EXPECT_THAT(std::string(RsaPublicKey::FromPem("x").status().message()),
              HasSubstr("not a PEM-encoded RSA key"));
  EXPECT_EQ(RsaPrivateKey::FromPem("").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RsaTest, Sha256IsTheStandardOne) {
  EXPECT_EQ(base::HexEncode(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace brume::services::signing
