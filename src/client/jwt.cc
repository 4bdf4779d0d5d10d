#include "base/encoding.h"
#include "base/str_cat.h"
#include "client/credentials.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>

namespace brume::client {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

absl::StatusOr<std::string> SignJwt(std::string_view key_id,
                                    std::string_view claims,
                                    std::string_view private_key_pem) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(
      private_key_pem.data(), static_cast<int>(private_key_pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return absl::InvalidArgumentError(
        "read service account key: 'private_key' is no RSA key in PEM");
  }
  const std::string head = boost::json::serialize(boost::json::object{
      {"alg", "RS256"}, {"kid", std::string(key_id)}, {"typ", "JWT"}});
  std::string token = base::StrCat(base::Base64UrlEncode(head), ".",
                                   base::Base64UrlEncode(claims));
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(token.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                         key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, token.size()) != 1) {
    return absl::InternalError("sign JWT: OpenSSL refuses");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(),
                     reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, token.size()) != 1) {
    return absl::InternalError("sign JWT: OpenSSL refuses");
  }
  signature.resize(size);
  base::StrAppend(&token, ".", base::Base64UrlEncode(signature));
  return token;
}

}  // namespace brume::client
