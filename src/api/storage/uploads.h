#pragma once

#include "api/storage/calls.h"
#include "api/storage/request.h"
#include "api/wire.h"
#include "store/blob/blob_store.h"

namespace brume::api::storage {

// Begins an upload of any kind (uploadType media, multipart, resumable, or the
// next part of a resumable one): the bytes go to the disk as they come.
Begun BeginUpload(const Services& services, store::BlobStore* blobs,
                  Request request);

}  // namespace brume::api::storage
