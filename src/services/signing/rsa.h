#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>

// RSA keys of 2048 bits with SHA-256 and PKCS #1 v1.5 (RFC 8017), the only kind
// that Google's service accounts have. Keys are immutable; safe to share
// between threads.
namespace brume::services::signing {

// OpenSSL's key behind a door: its headers stay in rsa.cc.
struct EvpKey;

class RsaPublicKey {
 public:
  // From a SubjectPublicKeyInfo ("BEGIN PUBLIC KEY") or a certificate.
  // INVALID_ARGUMENT when it is neither, or not RSA.
  static absl::StatusOr<RsaPublicKey> FromPem(std::string_view pem);

  bool Verifies(std::string_view message, std::string_view signature) const;
  std::string Pem() const;
  // Big-endian bytes, as JSON Web Keys have them (RFC 7518).
  std::string Modulus() const;
  std::string Exponent() const;

 private:
  friend class RsaPrivateKey;
  explicit RsaPublicKey(std::shared_ptr<EvpKey> key) : key_(std::move(key)) {}
  // Shared with the private key of which it is a half.
  std::shared_ptr<EvpKey> key_;
};

class RsaPrivateKey {
 public:
  // Takes about 0.1 s of a core.
  static RsaPrivateKey Generate();
  // From PKCS #8 ("BEGIN PRIVATE KEY") without a password.
  static absl::StatusOr<RsaPrivateKey> FromPem(std::string_view pem);

  std::string Sign(std::string_view message) const;
  std::string Pkcs8Pem() const;
  RsaPublicKey PublicKey() const { return RsaPublicKey(key_); }
  // A self-signed X.509 certificate over the key, as Google publishes keys.
  std::string CertificatePem(std::string_view common_name, absl::Time from,
                             absl::Time until) const;

 private:
  explicit RsaPrivateKey(std::shared_ptr<EvpKey> key) : key_(std::move(key)) {}
  std::shared_ptr<EvpKey> key_;
};

std::string Sha256(std::string_view bytes);

}  // namespace brume::services::signing
