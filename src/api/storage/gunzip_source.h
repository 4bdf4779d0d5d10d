#pragma once

#include "api/wire.h"
#include "services/storage/object_store.h"

#include <memory>

namespace brume::api::storage {

// Decompressive transcoding: an object's gzip bytes, unpacked while they are
// sent.
std::unique_ptr<BodySource> GunzipObject(
    services::storage::OpenedObject opened);

}  // namespace brume::api::storage
