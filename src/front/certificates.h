#pragma once

#include "base/clock.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace brume::front {

// Brume's own certificate authority: made at first start (key file mode 0600),
// it can vouch for PermittedSuffixes() and nothing else, and is never installed
// on the machine. Leaves are minted on demand and kept. Thread-safe.
class CertificateAuthority {
 public:
  // Loads FOLDER/ca.key and ca.pem, or makes them. FAILED_PRECONDITION when
  // only one of them is there or they do not belong together.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> Create(
      const std::string& folder, const base::Clock* clock);
  ~CertificateAuthority();

  // The CA certificate in PEM.
  const std::string& pem() const { return pem_; }

  struct Leaf {
    std::string certificate_pem;  // leaf, then CA
    std::string key_pem;
  };
  // A server certificate for `host`, or for the loopback names when it is empty
  // or an address. INVALID_ARGUMENT for a name the CA may not vouch for.
  absl::StatusOr<Leaf> LeafFor(std::string_view host);

  // One certificate with every served wildcard, for gRPC's listener.
  absl::StatusOr<Leaf> WildcardLeaf();

  // An OpenSSL server context for LeafFor(host), ALPN http/1.1. The last used
  // are kept.
  absl::StatusOr<std::shared_ptr<ssl_ctx_st>> ContextFor(
      const std::string& host);

 private:
  struct Impl;
  explicit CertificateAuthority(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::string pem_;
};

// The system's CA bundle with `ca_pem` behind it, written to `path`. Clients'
// CA variables replace their roots, so both must be in one file.
absl::Status WriteBundle(const std::string& path, std::string_view ca_pem);

}  // namespace brume::front
