#include "api/storage/uploads.h"

#include "api/http_surface.h"
#include "api/storage/errors.h"
#include "api/storage/resumable_upload.h"
#include "api/storage/simple_upload.h"
#include "services/storage/storage_errors.h"

#include <memory>
#include <string>
#include <utility>

namespace brume::api::storage {
namespace {

constexpr size_t kMostMetadata = 1 << 20;

Begun BegunOf(absl::StatusOr<std::unique_ptr<BodySink>> sink) {
  if (!sink.ok()) return ErrorReply(sink.status());
  return *std::move(sink);
}

}  // namespace

Begun BeginUpload(const Services& services, store::BlobStore* blobs,
                  Request request) {
  const std::string type = request.Text("uploadType");
  const std::string& method = request.head.method;
  if (request.Param("upload_id")) {
    absl::StatusOr<Begun> begun =
        ContinueResumable(services, std::move(request));
    if (!begun.ok()) return ErrorReply(begun.status());
    return *std::move(begun);
  }
  if (method != "POST") return ErrorReply(NotFoundPath());
  // The bucket before the bytes.
  const absl::Status bucket =
      services.buckets->Get(request.route.bucket, {}).status();
  if (!bucket.ok()) return ErrorReply(bucket);
  if (type == "media") {
    return BegunOf(MediaUpload(services, blobs, std::move(request)));
  }
  if (type == "multipart") {
    return BegunOf(MultipartUpload(services, blobs, std::move(request)));
  }
  if (type == "resumable") {
    auto shared = std::make_shared<Request>(std::move(request));
    return BufferBody(
        kMostMetadata, [services, shared](std::string body) -> Outcome {
          absl::StatusOr<Response> reply =
              StartResumable(services, *shared, body);
          return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
        });
  }
  return ErrorReply(services::storage::BadRequest(
      "invalid",
      "Invalid value for parameter 'uploadType': media, multipart or "
      "resumable."));
}

}  // namespace brume::api::storage
