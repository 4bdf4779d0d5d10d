#pragma once

#include "store/image/archive.h"
#include "store/image/image_store.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::store::image {

// Stores every image of an archive: what `docker save` writes
// (docker-archive: manifest.json) or an OCI image layout (index.json; OCI
// image specification, image-layout.md). Newer dockers write both at once.
//
// Tags come from the archive: RepoTags, or the annotations
// io.containerd.image.name and org.opencontainers.image.ref.name. `name`, when
// not empty, is used instead; the archive must then hold one image.
//
// `progress` is told how many bytes were stored so far, and ends the import
// (CANCELLED) by returning false.
//
// Returns the references stored. Layers stream into the blob store and are
// checked against their digests; an image whose layer is damaged is refused
// with INVALID_ARGUMENT and leaves nothing behind.
using ImportProgress = std::function<bool(uint64_t bytes)>;
absl::StatusOr<std::vector<std::string>> ImportImages(
    const Archive& archive, std::string_view name, absl::Time now,
    ImageStore& images, const ImportProgress& progress = nullptr);

}  // namespace brume::store::image
