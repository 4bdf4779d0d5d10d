#pragma once

#include "api/storage/calls.h"
#include "api/storage/request.h"
#include "api/wire.h"
#include "store/blob/blob_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <boost/json/object.hpp>
#include <brume/storage/object.pb.h>

#include <memory>

// Uploads in one request.
namespace brume::api::storage {

// uploadType=media: the body is the object.
absl::StatusOr<std::unique_ptr<BodySink>> MediaUpload(const Services& services,
                                                      store::BlobStore* blobs,
                                                      Request request);
// uploadType=multipart: metadata, then the object.
absl::StatusOr<std::unique_ptr<BodySink>> MultipartUpload(
    const Services& services, store::BlobStore* blobs, Request request);

// What every kind of upload says of its object. `content_type` is what the
// bytes came with, used when the metadata have none.
absl::StatusOr<brume::storage::Object> UploadedObject(
    const Request& request, const boost::json::object& metadata,
    std::string_view content_type);
// Puts the checksums of X-Goog-Hash and Content-MD5 into the object, where
// they are checked.
void StateChecksums(const Headers& headers, brume::storage::Object& object);

}  // namespace brume::api::storage
