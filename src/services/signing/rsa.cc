#include "services/signing/rsa.h"

#include "base/random.h"

#include <absl/status/status.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdlib>

namespace brume::services::signing {

struct EvpKey {
  explicit EvpKey(EVP_PKEY* owned) : key(owned) {}
  ~EvpKey() { EVP_PKEY_free(key); }
  EvpKey(const EvpKey&) = delete;
  EvpKey& operator=(const EvpKey&) = delete;
  EVP_PKEY* key;
};

namespace {

constexpr int kBits = 2048;

template <typename T, void (*kFree)(T*)>
struct Freer {
  void operator()(T* p) const { kFree(p); }
};
void FreeBio(BIO* bio) { BIO_free(bio); }
using Bio = std::unique_ptr<BIO, Freer<BIO, FreeBio>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BIGNUM, BN_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;

Bio ReadBio(std::string_view bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What only fails when memory is gone or the code is wrong.
void Require(bool condition) {
  if (!condition) std::abort();
}

std::string NumberOf(EVP_PKEY* key, const char* parameter) {
  BIGNUM* raw = nullptr;
  Require(EVP_PKEY_get_bn_param(key, parameter, &raw) == 1);
  const Number number(raw);
  std::string out(static_cast<size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

absl::Status NotAKey() {
  return absl::InvalidArgumentError("read RSA key: not a PEM-encoded RSA key");
}

}  // namespace

absl::StatusOr<RsaPublicKey> RsaPublicKey::FromPem(std::string_view pem) {
  EVP_PKEY* key =
      PEM_read_bio_PUBKEY(ReadBio(pem).get(), nullptr, nullptr, nullptr);
  if (key == nullptr) {
    const Certificate certificate(
        PEM_read_bio_X509(ReadBio(pem).get(), nullptr, nullptr, nullptr));
    if (certificate != nullptr) key = X509_get_pubkey(certificate.get());
  }
  if (key == nullptr) return NotAKey();
  auto owned = std::make_shared<EvpKey>(key);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return NotAKey();
  return RsaPublicKey(std::move(owned));
}

bool RsaPublicKey::Verifies(std::string_view message,
                            std::string_view signature) const {
  const Digest digest(EVP_MD_CTX_new());
  Require(digest != nullptr);
  return EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr,
                              key_->key) == 1 &&
         EVP_DigestVerify(digest.get(), Bytes(signature), signature.size(),
                          Bytes(message), message.size()) == 1;
}

std::string RsaPublicKey::Pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PUBKEY(bio.get(), key_->key) == 1);
  return Drain(bio.get());
}

std::string RsaPublicKey::Modulus() const {
  return NumberOf(key_->key, OSSL_PKEY_PARAM_RSA_N);
}
std::string RsaPublicKey::Exponent() const {
  return NumberOf(key_->key, OSSL_PKEY_PARAM_RSA_E);
}

RsaPrivateKey RsaPrivateKey::Generate() {
  EVP_PKEY* key = EVP_RSA_gen(kBits);
  Require(key != nullptr);
  return RsaPrivateKey(std::make_shared<EvpKey>(key));
}

absl::StatusOr<RsaPrivateKey> RsaPrivateKey::FromPem(std::string_view pem) {
  // A callback that gives no password, or OpenSSL would ask the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  EVP_PKEY* key = PEM_read_bio_PrivateKey(ReadBio(pem).get(), nullptr,
                                          no_password, nullptr);
  if (key == nullptr) return NotAKey();
  auto owned = std::make_shared<EvpKey>(key);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return NotAKey();
  return RsaPrivateKey(std::move(owned));
}

std::string RsaPrivateKey::Sign(std::string_view message) const {
  const Digest digest(EVP_MD_CTX_new());
  Require(digest != nullptr);
  Require(EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr,
                             key_->key) == 1);
  size_t size = 0;
  Require(EVP_DigestSign(digest.get(), nullptr, &size, Bytes(message),
                         message.size()) == 1);
  std::string out(size, '\0');
  Require(EVP_DigestSign(digest.get(),
                         reinterpret_cast<unsigned char*>(out.data()), &size,
                         Bytes(message), message.size()) == 1);
  out.resize(size);
  return out;
}

std::string RsaPrivateKey::Pkcs8Pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_->key, nullptr, nullptr,
                                        0, nullptr, nullptr) == 1);
  return Drain(bio.get());
}

std::string RsaPrivateKey::CertificatePem(std::string_view common_name,
                                          absl::Time from,
                                          absl::Time until) const {
  const Certificate certificate(X509_new());
  Require(certificate != nullptr);
  X509* cert = certificate.get();
  Require(X509_set_version(cert, X509_VERSION_3) == 1);
  std::string serial = base::RandomBytes(8);
  serial[0] = static_cast<char>(serial[0] & 0x7f);  // serials are positive
  const Number number(
      BN_bin2bn(Bytes(serial), static_cast<int>(serial.size()), nullptr));
  Require(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert)) !=
          nullptr);
  Require(ASN1_TIME_set(X509_getm_notBefore(cert), absl::ToTimeT(from)) !=
          nullptr);
  Require(ASN1_TIME_set(X509_getm_notAfter(cert), absl::ToTimeT(until)) !=
          nullptr);
  X509_NAME* name = X509_get_subject_name(cert);
  // RFC 5280 bounds a common name to 64 characters.
  const std::string_view bounded = common_name.substr(0, 64);
  Require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, Bytes(bounded),
                                     static_cast<int>(bounded.size()), -1,
                                     0) == 1);
  Require(X509_set_issuer_name(cert, name) == 1);
  Require(X509_set_pubkey(cert, key_->key) == 1);
  Require(X509_sign(cert, key_->key, EVP_sha256()) > 0);
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_X509(bio.get(), cert) == 1);
  return Drain(bio.get());
}

std::string Sha256(std::string_view bytes) {
  std::string out(EVP_MD_get_size(EVP_sha256()), '\0');
  Require(EVP_Digest(bytes.data(), bytes.size(),
                     reinterpret_cast<unsigned char*>(out.data()), nullptr,
                     EVP_sha256(), nullptr) == 1);
  return out;
}

}  // namespace brume::services::signing
