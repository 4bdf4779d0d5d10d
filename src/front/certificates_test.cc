#include "front/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace brume::front {
namespace {

X509* Parse(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return certificate;
}

// As a client does: the chain, and the name.
int Verify(const std::string& ca_pem, const std::string& leaf_pem) {
  X509* ca = Parse(ca_pem);
  X509* leaf = Parse(leaf_pem);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, ca);
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf, nullptr);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  X509_free(ca);
  X509_free(leaf);
  return error;
}

class CertificateAuthorityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "ca.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  base::SystemClock clock_;
};

TEST_F(CertificateAuthorityTest, IsKeptWithAPrivateKey) {
  auto first = CertificateAuthority::Create(folder_, &clock_);
  ASSERT_TRUE(first.ok()) << first.status();
  struct stat info{};
  ASSERT_EQ(stat((folder_ + "/ca.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);

  auto second = CertificateAuthority::Create(folder_, &clock_);

  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*first)->pem(), (*second)->pem());
}

TEST_F(CertificateAuthorityTest, RefusesHalfAnAuthority) {
  ASSERT_TRUE(CertificateAuthority::Create(folder_, &clock_).ok());
  std::filesystem::remove(folder_ + "/ca.key");

  EXPECT_EQ(CertificateAuthority::Create(folder_, &clock_).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(CertificateAuthorityTest, VouchesForServedNamesOnly) {
  auto ca = CertificateAuthority::Create(folder_, &clock_);
  ASSERT_TRUE(ca.ok());
  for (const char* host :
       {"storage.googleapis.com", "us-central1-docker.pkg.dev", "gcr.io",
        "accounts.google.com", "localhost"}) {
    auto leaf = (*ca)->LeafFor(host);
    ASSERT_TRUE(leaf.ok()) << host << leaf.status();
    EXPECT_EQ(Verify((*ca)->pem(), leaf->certificate_pem), X509_V_OK) << host;
  }
  auto wildcard = (*ca)->WildcardLeaf();
  ASSERT_TRUE(wildcard.ok());
  EXPECT_EQ(Verify((*ca)->pem(), wildcard->certificate_pem), X509_V_OK);

  for (const char* host : {"example.com", "evilgoogleapis.com", "a b",
                           "x.googleapis.com,DNS:example.com"}) {
    EXPECT_EQ((*ca)->LeafFor(host).status().code(),
              absl::StatusCode::kInvalidArgument)
        << host;
  }
}

TEST_F(CertificateAuthorityTest, HasCriticalNameConstraints) {
  auto ca = CertificateAuthority::Create(folder_, &clock_);
  ASSERT_TRUE(ca.ok());
  X509* certificate = Parse((*ca)->pem());
  const int at = X509_get_ext_by_NID(certificate, NID_name_constraints, -1);
  ASSERT_GE(at, 0);
  EXPECT_EQ(X509_EXTENSION_get_critical(X509_get_ext(certificate, at)), 1);
  X509_free(certificate);
}

}  // namespace
}  // namespace brume::front
