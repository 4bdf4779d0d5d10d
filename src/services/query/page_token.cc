#include "services/query/page_token.h"

#include "base/encoding.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace brume::services::query {
namespace {

namespace pb = google::protobuf;

constexpr size_t kMacBytes = 16;

std::string Mac(std::string_view key, std::string_view request,
                std::string_view position) {
  // The length keeps (request, position) apart.
  const std::string text = base::StrCat(request.size(), ":", request, position);
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out,
       &length);
  return std::string(reinterpret_cast<const char*>(out), kMacBytes);
}

std::string WithoutPaging(const pb::Message& request) {
  const std::unique_ptr<pb::Message> copy(request.New());
  copy->CopyFrom(request);
  for (const char* name : {"page_token", "page_size", "max_results"}) {
    if (const auto* field = copy->GetDescriptor()->FindFieldByName(name)) {
      copy->GetReflection()->ClearField(copy.get(), field);
    }
  }
  return base::StrCat(copy->GetDescriptor()->full_name(), "\n",
                      copy->SerializeAsString());
}

}  // namespace

absl::StatusOr<std::unique_ptr<PageTokens>> PageTokens::Create(
    store::KvStore& kv) {
  const std::string row = store::Key("secret").Add("page-tokens").str();
  std::string key;
  RETURN_IF_ERROR(kv.Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(const auto kept, txn.GetForUpdate(row));
    key = kept ? *kept : base::RandomBytes(32);
    return kept ? absl::OkStatus() : txn.Put(row, key);
  }));
  return std::unique_ptr<PageTokens>(new PageTokens(std::move(key)));
}

std::string PageTokens::Make(const pb::Message& request,
                             std::string_view position) const {
  return MakeFor(WithoutPaging(request), position);
}

absl::StatusOr<std::string> PageTokens::Read(const pb::Message& request,
                                             std::string_view token) const {
  return ReadFor(WithoutPaging(request), token);
}

std::string PageTokens::MakeFor(std::string_view request,
                                std::string_view position) const {
  return base::Base64UrlEncode(
      base::StrCat(Mac(key_, request, position), position));
}

absl::StatusOr<std::string> PageTokens::ReadFor(std::string_view request,
                                                std::string_view token) const {
  const std::optional<std::string> bytes = base::Base64Decode(token);
  if (bytes && bytes->size() >= kMacBytes) {
    const std::string position = bytes->substr(kMacBytes);
    const std::string mac = Mac(key_, request, position);
    if (CRYPTO_memcmp(mac.data(), bytes->data(), kMacBytes) == 0) {
      return position;
    }
  }
  return absl::InvalidArgumentError(
      "The page token is invalid: it belongs to no request with these "
      "parameters.");
}

}  // namespace brume::services::query
