#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace brume::store::image {

// An image's name, taken apart and made canonical as docker does it
// (distribution/reference): "ubuntu" is "docker.io/library/ubuntu:latest".
struct Reference {
  std::string domain;      // "us-docker.pkg.dev", "docker.io", "localhost:5000"
  std::string repository;  // "vertex-ai/training/pytorch-gpu.2-3"
  std::string tag;         // empty only when there is a digest
  std::string digest;      // "sha256:..." or empty

  // "domain/repository": what tags and manifests are stored under.
  std::string name() const { return domain + "/" + repository; }
  // "domain/repository[:tag][@digest]"
  std::string ToString() const;
};

// INVALID_ARGUMENT "parse image reference '<text>': <cause>".
absl::StatusOr<Reference> ParseReference(std::string_view text);

// The name under which Google's prebuilt training images are stored. They are
// published alike in three multi-regions (us-, europe-, asia-docker.pkg.dev)
// and with or without the Python version ("pytorch-gpu.2-3",
// "pytorch-gpu.2-3.py310"): one name here. Other names come back unchanged.
std::string CanonicalPrebuiltName(std::string_view name);
// Whether `name` is one of Google's prebuilt training images.
bool IsPrebuiltTrainingName(std::string_view name);

}  // namespace brume::store::image
