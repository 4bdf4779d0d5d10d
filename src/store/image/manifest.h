#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Image documents: OCI image specification 1.1 and Docker's schema 2, which
// differ in media types only. Errors are INVALID_ARGUMENT and name the field.
namespace brume::store::image {

inline constexpr std::string_view kOciManifest =
    "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex =
    "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kOciConfig =
    "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayerGzip =
    "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd =
    "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kOciLayer =
    "application/vnd.oci.image.layer.v1.tar";

// What registries accept at most (distribution: 4 MiB).
inline constexpr size_t kMaxDocument = 4 * 1024 * 1024;
// More layers overlayfs does not stack.
inline constexpr size_t kMaxLayers = 400;

struct Descriptor {
  std::string media_type;
  std::string digest;
  uint64_t size = 0;
  // Of an index's entries, when told.
  std::string os;
  std::string architecture;
};

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
};

// What `bytes` says it is; `media_type` (may be empty) decides where the
// document does not.
absl::StatusOr<std::variant<Manifest, Index>> ParseManifest(
    std::string_view bytes, std::string_view media_type);

// The entry for this machine, linux and its architecture; else the first that
// names no platform. NOT_FOUND tells what there is.
absl::StatusOr<Descriptor> ChoosePlatform(const Index& index);

struct ImageConfig {
  std::string os;
  std::string architecture;
  std::string user;         // "name", "uid", "name:group", ...
  std::string working_dir;  // may be empty
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::map<std::string, std::string> labels;
  std::vector<std::string> diff_ids;  // lowest first
};

absl::StatusOr<ImageConfig> ParseImageConfig(std::string_view bytes);

// The documents of an image we make ourselves. The config holds no time, so
// that equal layers give equal digests.
std::string WriteImageConfig(const ImageConfig& config);
std::string WriteManifest(const Manifest& manifest);

}  // namespace brume::store::image
