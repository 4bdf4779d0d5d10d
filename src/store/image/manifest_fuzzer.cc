#include "store/image/digest.h"
#include "store/image/manifest.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

// A document that parses holds nothing but digests we can verify, and is the
// same after it was written again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace brume::store::image;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::string_view type :
       {std::string_view(), kOciManifest, kDockerIndex}) {
    const auto document = ParseManifest(bytes, type);
    if (!document.ok()) continue;
    if (const auto* index = std::get_if<Index>(&*document)) {
      for (const Descriptor& entry : index->manifests) {
        if (!IsDigest(entry.digest)) std::abort();
      }
      (void)ChoosePlatform(*index);
      continue;
    }
    const Manifest& manifest = std::get<Manifest>(*document);
    if (!IsDigest(manifest.config.digest)) std::abort();
    const auto again = ParseManifest(WriteManifest(manifest), "");
    if (!again.ok()) std::abort();
    const Manifest& copy = std::get<Manifest>(*again);
    if (copy.config.digest != manifest.config.digest ||
        copy.layers.size() != manifest.layers.size()) {
      std::abort();
    }
    for (size_t i = 0; i < copy.layers.size(); ++i) {
      if (!IsDigest(copy.layers[i].digest) ||
          copy.layers[i].digest != manifest.layers[i].digest ||
          copy.layers[i].size != manifest.layers[i].size) {
        std::abort();
      }
    }
  }
  const auto config = ParseImageConfig(bytes);
  if (config.ok()) {
    const auto again = ParseImageConfig(WriteImageConfig(*config));
    if (!again.ok() || again->env != config->env ||
        again->entrypoint != config->entrypoint || again->cmd != config->cmd ||
        again->diff_ids != config->diff_ids || again->user != config->user) {
      std::abort();
    }
  }
  return 0;
}
