#include "services/storage/payload.h"

#include "base/log.h"
#include "base/status_macros.h"

#include <utility>

namespace brume::services::storage {

Payload::Payload(Payload&& other) noexcept
    : blobs_(std::exchange(other.blobs_, nullptr)),
      bytes_(std::move(other.bytes_)),
      blob_(std::move(other.blob_)),
      size_(other.size_),
      crc32c_(other.crc32c_),
      md5_(std::move(other.md5_)) {}

Payload::~Payload() {
  if (blobs_ == nullptr || blob_.empty()) return;
  const absl::Status status = blobs_->Discard(blob_);
  if (!status.ok()) {
    // Not lost: the intent record removes the file at the next start.
    base::Log(base::LogLevel::kWarn, "storage", "unused blob not removed",
              {{"blob", blob_}, {"error", status.ToString()}});
  }
}

absl::StatusOr<PayloadWriter> PayloadWriter::Resume(
    store::BlobStore* blobs, const ParkedPayload& parked) {
  PayloadWriter writer(blobs);
  if (parked.size == 0) return writer;
  ASSIGN_OR_RETURN(writer.hasher_, ContentHasher::FromState(parked.hash_state));
  writer.size_ = parked.size;
  writer.head_ = parked.head;
  if (!parked.suspended.empty()) {
    ASSIGN_OR_RETURN(writer.writer_,
                     blobs->Resume(parked.suspended, parked.size));
  }
  return writer;
}

absl::Status PayloadWriter::Append(std::string_view bytes) {
  hasher_.Update(bytes);
  return AppendUnhashed(bytes);
}

absl::Status PayloadWriter::AppendUnhashed(std::string_view bytes) {
  size_ += bytes.size();
  if (writer_ == nullptr && size_ <= kInlineLimit) {
    head_.append(bytes);
    return absl::OkStatus();
  }
  if (writer_ == nullptr) {
    ASSIGN_OR_RETURN(writer_, blobs_->Create());
    RETURN_IF_ERROR(writer_->Append(head_));
    head_.clear();
  }
  return writer_->Append(bytes);
}

absl::StatusOr<store::BlobId> PayloadWriter::CommitBlob() {
  if (writer_ == nullptr) return store::BlobId();
  ASSIGN_OR_RETURN(store::BlobId blob, writer_->Commit());
  writer_.reset();
  return blob;
}

absl::StatusOr<Payload> PayloadWriter::Finish() {
  ASSIGN_OR_RETURN(store::BlobId blob, CommitBlob());
  return Payload(blobs_, std::move(head_), std::move(blob), size_,
                 hasher_.crc32c(), hasher_.md5());
}

absl::StatusOr<Payload> PayloadWriter::FinishComposite(uint32_t crc32c) {
  ASSIGN_OR_RETURN(store::BlobId blob, CommitBlob());
  return Payload(blobs_, std::move(head_), std::move(blob), size_, crc32c,
                 std::nullopt);
}

absl::StatusOr<ParkedPayload> PayloadWriter::Park() {
  ParkedPayload parked;
  parked.size = size_;
  parked.hash_state = hasher_.SaveState();
  parked.head = std::move(head_);
  if (writer_ != nullptr) {
    ASSIGN_OR_RETURN(parked.suspended, blobs_->Suspend(std::move(writer_)));
  }
  return parked;
}

}  // namespace brume::services::storage
