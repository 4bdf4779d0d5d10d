#pragma once

#include "store/image/byte_source.h"
#include "store/image/rooted_dir.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>

namespace brume::store::image {

// What the process that unpacks is able to do.
struct UnpackRights {
  // Files get the archive's owners. Without (an ordinary user who has no
  // subordinate ids) they all belong to the one id there is.
  bool change_owner = true;
};

struct UnpackResult {
  std::string diff_id;  // digest of the uncompressed archive
  uint64_t bytes = 0;   // of file data
  uint64_t files = 0;
};

// Unpacks one layer (OCI image specification, layer.md) into the empty folder
// `root`, so that it serves as a lower directory of overlayfs mounted with
// "userxattr": whiteouts become 0/0 character devices, opaque marks the
// attribute user.overlay.opaque. Modes, owners, times, hard links and extended
// attributes are kept; device nodes are skipped, since a container gets its own
// /dev. Entries cannot leave `root`. Run it in a process of its own.
absl::StatusOr<UnpackResult> UnpackLayer(std::unique_ptr<ByteSource> layer,
                                         const RootedDir& root,
                                         const UnpackRights& rights);

}  // namespace brume::store::image
