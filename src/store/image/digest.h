#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace brume::store::image {

// Hashes bytes as they pass. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);
  // "sha256:<64 hex digits>" of what was seen so far; hashing may go on.
  std::string Digest() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// "sha256:<64 hex digits>" of `bytes`.
std::string DigestOf(std::string_view bytes);

// Whether `text` is a digest we can verify: "sha256:" and 64 lower-case hex
// digits (OCI image specification, descriptor.md). Anything else, sha512
// among it, is refused, so that a digest is always safe as a file name.
bool IsDigest(std::string_view text);

}  // namespace brume::store::image
