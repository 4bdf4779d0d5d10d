#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// The two checksums of Cloud Storage, computed once while the bytes pass.
namespace brume::services::storage {

// CRC-32C (Castagnoli, RFC 3720) of what `crc` covers followed by `bytes`;
// start with 0.
uint32_t Crc32c(uint32_t crc, std::string_view bytes);
// The CRC of A followed by B, from theirs and B's length.
uint32_t Crc32cCombine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);
// Base64 of the big-endian value, as the API shows it; and back.
std::string Crc32cToText(uint32_t crc);
absl::StatusOr<uint32_t> Crc32cFromText(std::string_view text);

// CRC-32C and MD5 of a stream. Its state can be saved between two parts of a
// resumable upload, so that no byte is read twice. Not thread-safe.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(ContentHasher&&) noexcept;
  ContentHasher& operator=(ContentHasher&&) noexcept;

  void Update(std::string_view bytes);
  uint32_t crc32c() const;
  // The 16 bytes of the digest; the hasher can go on afterwards.
  std::string md5() const;

  // Opaque, of this program's build for one kind of machine only.
  std::string SaveState() const;
  // DATA_LOSS when `state` was not made by SaveState.
  static absl::StatusOr<ContentHasher> FromState(std::string_view state);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace brume::services::storage
