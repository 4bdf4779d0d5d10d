#include "client/credentials.h"

#include "base/encoding.h"
#include "client/scripted_server.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace brume::client {
namespace {

using testing::HasSubstr;

std::string MakeKey() {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  EVP_PKEY_free(key);
  return pem;
}

class CredentialsTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Credentials>> Parse(std::string_view text) {
    return CredentialsFromJson(text, &http_, &clock_);
  }

  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  std::unique_ptr<Transport> transport_ = *Transport::Create({});
  HttpClient http_{transport_.get()};
};

TEST_F(CredentialsTest, AKeySignsForATokenAndKeepsItUntilItIsOld) {
  ScriptedServer server(
      {JsonReply(200, R"({"access_token":"one","expires_in":3600})"),
       JsonReply(200, R"({"access_token":"two","expires_in":3600})")});
  const auto credentials = Parse(boost::json::serialize(
      boost::json::object{{"type", "service_account"},
                          {"client_email", "a@p.iam.gserviceaccount.com"},
                          {"private_key", MakeKey()},
                          {"private_key_id", "k1"},
                          {"project_id", "p"},
                          {"token_uri", server.url() + "/token"}}));
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  EXPECT_EQ((*credentials)->project(), "p");
  EXPECT_EQ(*(*credentials)->Token(), "one");
  clock_.Advance(absl::Minutes(54));
  EXPECT_EQ(*(*credentials)->Token(), "one");
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(*(*credentials)->Token(), "two");
  const std::string request = server.requests()[0];
  const size_t claims = request.find('.', request.find("assertion=")) + 1;
  const auto decoded = base::Base64Decode(
      request.substr(claims, request.find('.', claims) - claims));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(*decoded, HasSubstr(R"("iss":"a@p.iam.gserviceaccount.com")"));
  EXPECT_THAT(*decoded, HasSubstr(R"("exp":1800003600)"));
}

TEST_F(CredentialsTest, ARefusalHasTheTokenServicesWords) {
  ScriptedServer server({JsonReply(
      400, R"({"error":"invalid_grant","error_description":"Bad key."})")});
  const auto credentials = Parse(boost::json::serialize(
      boost::json::object{{"type", "service_account"},
                          {"client_email", "a@p.iam.gserviceaccount.com"},
                          {"private_key", MakeKey()},
                          {"private_key_id", "k1"},
                          {"token_uri", server.url() + "/token"}}));
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  EXPECT_EQ((*credentials)->Token().status(),
            absl::UnauthenticatedError(
                "get token of 'a@p.iam.gserviceaccount.com': Bad key."));
}

TEST_F(CredentialsTest, FilesThatAreNoneAreRefusedWithTheirField) {
  EXPECT_THAT(std::string(Parse("{").status().message()), HasSubstr("no JSON"));
  EXPECT_THAT(std::string(Parse("{}").status().message()),
              HasSubstr("'type' is ''"));
  EXPECT_THAT(std::string(Parse(R"({"type":"authorized_user",)"
                                R"("client_id":"c","client_secret":"s"})")
                              .status()
                              .message()),
              HasSubstr("'refresh_token' is missing"));
  EXPECT_FALSE(SignJwt("k", "{}", "no key").ok());
}

TEST_F(CredentialsTest, DefaultsComeFromTheirPlacesInOrder) {
  const auto none = DefaultCredentials(
      [](std::string_view) { return std::nullopt; }, &http_, &clock_);
  EXPECT_TRUE(absl::IsNotFound(none.status())) << none.status();
  const auto missing = DefaultCredentials(
      [](std::string_view name) -> std::optional<std::string> {
        if (name == "GOOGLE_APPLICATION_CREDENTIALS") return "/none/adc.json";
        if (name == "GCE_METADATA_HOST") return "127.0.0.1:1";
        return std::nullopt;
      },
      &http_, &clock_);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("GOOGLE_APPLICATION_CREDENTIALS names it"));
  ScriptedServer server(
      {JsonReply(200, R"({"access_token":"m","expires_in":3599})")});
  const auto machine = DefaultCredentials(
      [&](std::string_view name) -> std::optional<std::string> {
        if (name == "GCE_METADATA_HOST") return server.url().substr(7);
        return std::nullopt;
      },
      &http_, &clock_);
  ASSERT_TRUE(machine.ok()) << machine.status();
  EXPECT_EQ(*(*machine)->Token(), "m");
  EXPECT_THAT(server.requests()[0], HasSubstr("Metadata-Flavor: Google"));
}

}  // namespace
}  // namespace brume::client
