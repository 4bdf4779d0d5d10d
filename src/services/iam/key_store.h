#pragma once

#include "base/clock.h"
#include "services/iam/account_store.h"
#include "services/signing/rsa.h"
#include "store/kv/kv_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <brume/iam/account.pb.h>

#include <string>
#include <string_view>
#include <vector>

namespace brume::services::iam {

// Keys of service accounts: rows by the account's unique id. Of a user's key
// only the certificate is kept; the system's own key, with which signBlob and
// signJwt sign, is made when it is needed first. Thread-safe.
class KeyStore {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    const AccountStore* accounts = nullptr;
  };
  explicit KeyStore(Options options) : options_(std::move(options)) {}

  struct NewKey {
    brume::iam::AccountRecord account;
    brume::iam::KeyRecord key;
    std::string private_key_pem;  // kept nowhere
  };
  // FAILED_PRECONDITION when the account has ten keys.
  absl::StatusOr<NewKey> Create(const AccountName& name);

  struct Listed {
    brume::iam::AccountRecord account;
    std::vector<brume::iam::KeyRecord> keys;
  };
  // With the system's key; by id.
  absl::StatusOr<Listed> List(const AccountName& name);
  absl::StatusOr<brume::iam::KeyRecord> Get(const KeyName& name) const;
  // NOT_FOUND; FAILED_PRECONDITION for the system's.
  absl::Status Delete(const KeyName& name);
  absl::Status SetDisabled(const KeyName& name, bool disabled);

  // The keys of `email` that verify now: of that id, or all with an empty one.
  // Empty when there is no such key.
  absl::StatusOr<std::vector<brume::iam::KeyRecord>> Valid(
      std::string_view email, std::string_view key_id) const;

  struct Signer {
    std::string key_id;
    signing::RsaPrivateKey key;
  };
  // The system's key of an account.
  absl::StatusOr<Signer> SystemKey(const brume::iam::AccountRecord& account);

 private:
  const Options options_;
  // One maker of system keys at a time: a second would be thrown away.
  absl::Mutex making_;
};

}  // namespace brume::services::iam
