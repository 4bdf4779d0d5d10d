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

absl::Status PayloadWriter::Append(std::string_view bytes) {
  hasher_.Update(bytes);
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

absl::StatusOr<Payload> PayloadWriter::Finish() {
  store::BlobId blob;
  if (writer_ != nullptr) {
    ASSIGN_OR_RETURN(blob, writer_->Commit());
    writer_.reset();
  }
  return Payload(blobs_, std::move(head_), std::move(blob), size_,
                 hasher_.crc32c(), hasher_.md5());
}

}  // namespace brume::services::storage
