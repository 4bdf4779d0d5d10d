#pragma once

#include "store/kv/kv_store.h"

#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>

namespace brume::services::query {

// Page tokens (AIP-158): opaque, bound to the request that they continue, and
// not to be made by a client (HMAC-SHA256 with a key of the data folder).
// Thread-safe.
class PageTokens {
 public:
  // Reads the key, or makes it.
  static absl::StatusOr<std::unique_ptr<PageTokens>> Create(store::KvStore& kv);

  // A token that continues `request` after `position`. Of the request its
  // page_token and page_size do not count.
  std::string Make(const google::protobuf::Message& request,
                   std::string_view position) const;
  // The position; INVALID_ARGUMENT for a token of another request or of nobody.
  absl::StatusOr<std::string> Read(const google::protobuf::Message& request,
                                   std::string_view token) const;

  // The same for surfaces without messages: `request` is any text that says
  // what is listed.
  std::string MakeFor(std::string_view request,
                      std::string_view position) const;
  absl::StatusOr<std::string> ReadFor(std::string_view request,
                                      std::string_view token) const;

 private:
  explicit PageTokens(std::string key) : key_(std::move(key)) {}
  std::string key_;
};

}  // namespace brume::services::query
