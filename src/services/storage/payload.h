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

// A writer at rest, between two parts of a resumable upload.
struct ParkedPayload {
  uint64_t size = 0;
  std::string head;       // the bytes, while they are few
  std::string suspended;  // else the suspended blob
  std::string hash_state;
};

// Takes an upload's bytes as they come: the first kInlineLimit in memory, all
// of them in a blob once there are more. Not thread-safe.
class PayloadWriter {
 public:
  explicit PayloadWriter(store::BlobStore* blobs) : blobs_(blobs) {}
  // Goes on where Park left off; NOT_FOUND when its blob is gone.
  static absl::StatusOr<PayloadWriter> Resume(store::BlobStore* blobs,
                                              const ParkedPayload& parked);

  absl::Status Append(std::string_view bytes);
  uint64_t size() const { return size_; }
  // Of the bytes so far.
  uint32_t crc32c() const { return hasher_.crc32c(); }
  std::string md5() const { return hasher_.md5(); }

  absl::StatusOr<Payload> Finish();
  // A composite object's: what Append was given has this checksum, and no MD5.
  absl::StatusOr<Payload> FinishComposite(uint32_t crc32c);
  // As Append, of bytes whose checksum is known.
  absl::Status AppendUnhashed(std::string_view bytes);
  // Makes the bytes durable and ends the writer. The caller keeps the blob, if
  // there is one, by BlobStore::KeepSuspended.
  absl::StatusOr<ParkedPayload> Park();

 private:
  absl::StatusOr<store::BlobId> CommitBlob();

  store::BlobStore* blobs_;
  ContentHasher hasher_;
  uint64_t size_ = 0;
  std::string head_;
  std::unique_ptr<store::BlobWriter> writer_;
};

}  // namespace brume::services::storage
