#include "api/storage/request.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <openssl/sha.h>

#include <algorithm>

namespace brume::api::storage {
namespace {

using services::storage::BadRequest;
using services::storage::Invalid;

constexpr size_t kLargestPage = 1000;

}  // namespace

std::optional<std::string_view> Request::Param(std::string_view name) const {
  for (const auto& [key, value] : query.parameters()) {
    if (absl::EqualsIgnoreCase(base::ToAbsl(key), base::ToAbsl(name))) {
      return value;
    }
  }
  return std::nullopt;
}

std::string Request::Text(std::string_view name) const {
  return std::string(Param(name).value_or(""));
}

bool Request::Flag(std::string_view name) const {
  const std::string_view value = Param(name).value_or("");
  // Python writes "True".
  return absl::EqualsIgnoreCase(base::ToAbsl(value), "true");
}

absl::StatusOr<std::optional<int64_t>> Request::Integer(
    std::string_view name) const {
  const std::optional<std::string_view> text = Param(name);
  if (!text) return std::optional<int64_t>();
  int64_t number = 0;
  if (!absl::SimpleAtoi(base::ToAbsl(*text), &number)) {
    return Invalid(base::StrCat("Invalid value for parameter '", name,
                                "': it must be an integer."));
  }
  return std::optional<int64_t>(number);
}

absl::StatusOr<brume::storage::Conditions> Request::Conditions(
    std::string_view prefix) const {
  brume::storage::Conditions conditions;
  ASSIGN_OR_RETURN(const auto generation,
                   Integer(base::StrCat(prefix, "GenerationMatch")));
  if (generation) conditions.set_generation_match(*generation);
  ASSIGN_OR_RETURN(const auto not_generation,
                   Integer(base::StrCat(prefix, "GenerationNotMatch")));
  if (not_generation) conditions.set_generation_not_match(*not_generation);
  ASSIGN_OR_RETURN(const auto meta,
                   Integer(base::StrCat(prefix, "MetagenerationMatch")));
  if (meta) conditions.set_metageneration_match(*meta);
  ASSIGN_OR_RETURN(const auto not_meta,
                   Integer(base::StrCat(prefix, "MetagenerationNotMatch")));
  if (not_meta) conditions.set_metageneration_not_match(*not_meta);
  return conditions;
}

absl::StatusOr<int64_t> Request::Generation(std::string_view name) const {
  ASSIGN_OR_RETURN(const std::optional<int64_t> generation, Integer(name));
  return generation.value_or(0);
}

absl::StatusOr<size_t> Request::MaxResults() const {
  ASSIGN_OR_RETURN(const std::optional<int64_t> wanted, Integer("maxResults"));
  // folders and managedFolders call it pageSize.
  if (!wanted) return kLargestPage;
  if (*wanted < 0) {
    return Invalid("Invalid value for parameter 'maxResults': it is negative.");
  }
  if (*wanted == 0) return kLargestPage;
  return std::min<size_t>(static_cast<size_t>(*wanted), kLargestPage);
}

bool Request::FullProjection(bool by_default) const {
  const std::optional<std::string_view> projection = Param("projection");
  return projection ? *projection == "full" : by_default;
}

bool Request::Pretty() const {
  const std::optional<std::string_view> pretty = Param("prettyPrint");
  return !pretty || !absl::EqualsIgnoreCase(base::ToAbsl(*pretty), "false");
}

absl::StatusOr<std::optional<std::string>> CustomerKey(
    const Headers& headers, std::string_view prefix) {
  const auto algorithm =
      headers.Get(base::StrCat(prefix, "encryption-algorithm"));
  const auto key = headers.Get(base::StrCat(prefix, "encryption-key"));
  const auto hash = headers.Get(base::StrCat(prefix, "encryption-key-sha256"));
  if (!algorithm && !key && !hash) return std::optional<std::string>();
  if (!algorithm || *algorithm != "AES256") {
    return BadRequest("customerEncryptionAlgorithmIsInvalid",
                      "The encryption algorithm is not valid. The algorithm "
                      "must be \"AES256\".");
  }
  const std::optional<std::string> bytes =
      key ? base::Base64Decode(*key) : std::nullopt;
  if (!bytes || bytes->size() != 32) {
    return BadRequest(
        "customerEncryptionKeyFormatIsInvalid",
        "The encryption key is not valid. It must be a base64-encoded 256-bit "
        "key.");
  }
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  std::string text = base::Base64Encode(digest);
  if (!hash || *hash != text) {
    return BadRequest("customerEncryptionKeySha256IsInvalid",
                      "The SHA256 hash of the encryption key does not match "
                      "the key.");
  }
  return std::optional<std::string>(std::move(text));
}

absl::Status CheckCustomerKey(const brume::storage::Object& object,
                              const std::optional<std::string>& key) {
  if (!object.has_customer_encryption()) {
    if (!key) return absl::OkStatus();
    return BadRequest("resourceNotEncryptedWithCustomerEncryptionKey",
                      "The target object is not encrypted by a "
                      "customer-supplied encryption key.");
  }
  if (!key) {
    return BadRequest("resourceIsEncryptedWithCustomerEncryptionKey",
                      "The target object is encrypted by a customer-supplied "
                      "encryption key.");
  }
  if (*key != object.customer_encryption().key_sha256()) {
    return BadRequest("customerEncryptionKeyIsIncorrect",
                      "The provided encryption key is incorrect.");
  }
  return absl::OkStatus();
}

}  // namespace brume::api::storage
