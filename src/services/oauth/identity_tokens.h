#pragma once

#include "base/clock.h"
#include "services/signing/rsa.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <brume/oauth/token.pb.h>

#include <optional>
#include <string>
#include <string_view>

namespace brume::services::oauth {

// Signs OpenID Connect identity tokens as https://accounts.google.com, with a
// key of the data folder that is made when it is needed first. Thread-safe.
class IdentityTokens {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
  };
  explicit IdentityTokens(Options options) : options_(options) {}

  struct Claims {
    std::string audience;
    std::string authorized_party;  // "azp"
    std::string subject;
    std::string email;  // empty: not said
  };
  // A token of an hour.
  absl::StatusOr<std::string> Sign(const Claims& claims);

  // The key that signs, for the published certificates.
  struct PublicKey {
    std::string id;
    std::string certificate_pem;
    signing::RsaPublicKey key;
  };
  absl::StatusOr<PublicKey> Key();

 private:
  struct Loaded {
    brume::oauth::SigningKeyRecord record;
    signing::RsaPrivateKey key;
  };
  absl::StatusOr<Loaded> Load();

  const Options options_;
  absl::Mutex mutex_;
  std::optional<Loaded> loaded_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::services::oauth
