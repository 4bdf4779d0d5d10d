#pragma once

#include "store/blob/blob_store.h"
#include "store/image/byte_source.h"
#include "store/image/manifest.h"
#include "store/image/reference.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Images: manifests and tags as rows, configs and layers as blobs that are
// shared by digest and live while a manifest refers to them. A "name" is
// Reference::name(), the registry's host included. A registry serves the same
// rows.
namespace brume::store::image {

struct StoredManifest {
  std::string digest;
  std::string media_type;
  std::string bytes;
};

// What a run needs of an image.
struct ResolvedImage {
  std::string reference;        // as stored: name and tag or digest
  std::string manifest_digest;  // of the image, not of an index above it
  ImageConfig config;
  std::vector<Descriptor> layers;  // lowest first, as config.diff_ids
};

struct ImageSummary {
  std::string name;
  std::string tag;
  std::string digest;
  uint64_t size = 0;  // of config and layers, as stored
  absl::Time tagged;
  bool is_stand_in = false;
};

// The label that tells a stand-in from the image whose name it bears.
inline constexpr std::string_view kStandInLabel = "dev.brume.stand-in";

// Thread-safe. Both stores outlive it.
class ImageStore {
 public:
  ImageStore(KvStore& kv, BlobStore& blobs) : kv_(kv), blobs_(blobs) {}

  struct AddedBlob {
    std::string digest;
    uint64_t size = 0;
    bool is_new = false;  // was not there before
  };
  // Stores a config or layer, durably. With `expected` the digest must match:
  // INVALID_ARGUMENT otherwise, and nothing stays. The blob goes again unless
  // a manifest refers to it: see PutManifest and DropUnreferenced.
  absl::StatusOr<AddedBlob> AddBlob(ByteSource& bytes,
                                    std::string_view expected = "");
  // Its size; nullopt when there is none.
  absl::StatusOr<std::optional<uint64_t>> FindBlob(std::string_view digest);
  // NOT_FOUND "open blob '<digest>': ...".
  absl::StatusOr<BlobStore::Opened> OpenBlob(std::string_view digest);
  absl::StatusOr<std::string> ReadBlob(std::string_view digest, size_t limit);

  // Stores a manifest or index under `name` and, when not empty, moves `tag`
  // to it; returns its digest. FAILED_PRECONDITION when it refers to a blob or
  // manifest that is not there.
  absl::StatusOr<std::string> PutManifest(std::string_view name,
                                          std::string_view tag,
                                          std::string_view media_type,
                                          std::string_view bytes,
                                          absl::Time now);
  // `tag_or_digest` tells them apart by its form. NOT_FOUND when absent.
  absl::StatusOr<StoredManifest> GetManifest(std::string_view name,
                                             std::string_view tag_or_digest);
  absl::Status DeleteTag(std::string_view name, std::string_view tag);
  // Its tags and the blobs that nothing else refers to go with it.
  absl::Status DeleteManifest(std::string_view name, std::string_view digest);
  // Every tag, by name and tag.
  absl::StatusOr<std::vector<ImageSummary>> List();

  // The image for this machine. Google's prebuilt training images answer under
  // all their published names. NOT_FOUND tells the user what to do.
  absl::StatusOr<ResolvedImage> Resolve(std::string_view reference);

  // Removes blobs added before `before` to which nothing refers: uploads that
  // never got their manifest.
  absl::Status DropUnreferenced(absl::Time before);
  // Removes `digest` if nothing refers to it.
  absl::Status DropIfUnreferenced(std::string_view digest);

 private:
  absl::StatusOr<ResolvedImage> Describe(std::string_view name,
                                         const StoredManifest& stored);

  KvStore& kv_;
  BlobStore& blobs_;
};

}  // namespace brume::store::image
