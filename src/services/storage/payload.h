#pragma once

#include "services/storage/checksums.h"
#include "store/blob/blob_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace brume::services::storage {

// Objects of at most this many bytes lie in the key-value store.
inline constexpr uint64_t kInlineLimit = 64 << 10;

// An object's bytes, complete and durable (or small and in memory), not yet
// owned by an object. Dropped unless Release is called.
class Payload {
 public:
  Payload(store::BlobStore* blobs, std::string bytes, store::BlobId blob,
          uint64_t size, uint32_t crc32c, std::optional<std::string> md5)
      : blobs_(blobs),
        bytes_(std::move(bytes)),
        blob_(std::move(blob)),
        size_(size),
        crc32c_(crc32c),
        md5_(std::move(md5)) {}
  Payload(Payload&& other) noexcept;
  Payload& operator=(Payload&&) = delete;
  ~Payload();

  const std::string& bytes() const { return bytes_; }
  // Empty when the bytes are inline.
  const store::BlobId& blob() const { return blob_; }
  uint64_t size() const { return size_; }
  uint32_t crc32c() const { return crc32c_; }
  // 16 bytes; absent for composite objects.
  const std::optional<std::string>& md5() const { return md5_; }

  // The bytes have an owner now.
  void Release() { blobs_ = nullptr; }

 private:
  store::BlobStore* blobs_;
  std::string bytes_;
  store::BlobId blob_;
  uint64_t size_;
  uint32_t crc32c_;
  std::optional<std::string> md5_;
};

// Takes an upload's bytes as they come: the first kInlineLimit in memory, all
// of them in a blob once there are more. Not thread-safe.
class PayloadWriter {
 public:
  explicit PayloadWriter(store::BlobStore* blobs) : blobs_(blobs) {}

  absl::Status Append(std::string_view bytes);
  uint64_t size() const { return size_; }
  absl::StatusOr<Payload> Finish();

 private:
  store::BlobStore* const blobs_;
  ContentHasher hasher_;
  uint64_t size_ = 0;
  std::string head_;
  std::unique_ptr<store::BlobWriter> writer_;
};

}  // namespace brume::services::storage
