#include "store/image/import.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/digest.h"

#include <absl/cleanup/cleanup.h>
#include <boost/json.hpp>

#include <utility>
#include <variant>

namespace brume::store::image {
namespace {

namespace json = boost::json;

constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kContainerdName = "io.containerd.image.name";

absl::Status Bad(std::string_view file, std::string_view cause) {
  return absl::InvalidArgumentError(
      base::StrCat("import image: '", file, "' ", cause));
}

absl::StatusOr<std::string> ReadSmall(const Archive& archive,
                                      std::string_view file) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source,
                   archive.Open(file));
  return ReadAll(*source, kMaxDocument);
}

absl::StatusOr<json::value> ReadJson(const Archive& archive,
                                     std::string_view file) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadSmall(archive, file));
  boost::system::error_code error;
  json::value value = json::parse(bytes, error);
  if (error) return Bad(file, "is not JSON: " + error.message());
  return value;
}

absl::StatusOr<std::string> StringMember(const json::value& from,
                                         std::string_view key,
                                         std::string_view file) {
  const json::value* value =
      from.is_object() ? from.as_object().if_contains(key) : nullptr;
  if (value == nullptr || !value->is_string()) {
    return Bad(file, base::StrCat("has no string '", key, "'"));
  }
  return std::string(std::string_view(value->as_string()));
}

// Counts what passes.
class CountingSource final : public ByteSource {
 public:
  CountingSource(std::unique_ptr<ByteSource> inner, uint64_t& count,
                 const ImportProgress& progress)
      : inner_(std::move(inner)), count_(count), progress_(progress) {}

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    ASSIGN_OR_RETURN(const size_t got, inner_->Read(data, size));
    count_ += got;
    if (progress_ && !progress_(count_)) {
      return absl::CancelledError("import image: cancelled");
    }
    return got;
  }

 private:
  const std::unique_ptr<ByteSource> inner_;
  uint64_t& count_;
  const ImportProgress& progress_;
};

class Importer {
 public:
  Importer(const Archive& archive, std::string_view name, absl::Time now,
           ImageStore& images, const ImportProgress& progress)
      : archive_(archive),
        name_(name),
        now_(now),
        images_(images),
        progress_(progress) {}

  absl::StatusOr<std::vector<std::string>> Run() {
    // Blobs that no manifest took go again.
    const absl::Cleanup tidy = [this] {
      for (const std::string& digest : added_) {
        images_.DropIfUnreferenced(digest).IgnoreError();
      }
    };
    if (archive_.Has("manifest.json")) {
      RETURN_IF_ERROR(ImportDocker());
    } else if (archive_.Has("index.json")) {
      RETURN_IF_ERROR(ImportLayout());
    } else {
      return absl::InvalidArgumentError(
          "import image: neither 'manifest.json' (docker save) nor "
          "'index.json' (OCI layout) is in the archive");
    }
    return std::move(stored_);
  }

 private:
  absl::StatusOr<ImageStore::AddedBlob> AddFile(std::string_view file,
                                                std::string_view digest) {
    ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, archive_.Open(file));
    CountingSource counted(std::move(source), bytes_, progress_);
    ASSIGN_OR_RETURN(ImageStore::AddedBlob added,
                     images_.AddBlob(counted, digest));
    if (added.is_new) added_.push_back(added.digest);
    return added;
  }
  absl::Status ImportDocker();
  absl::Status ImportDockerImage(const json::value& entry);
  // A layer whose bytes are not its diff id's: compressed, or damaged.
  absl::Status CheckPacked(const std::string& file, const std::string& digest,
                           const std::string& diff_id);
  absl::StatusOr<std::string_view> PackedType(const std::string& digest);
  absl::Status ImportLayout();
  absl::Status ImportDescriptor(const std::string& name,
                                const Descriptor& descriptor, std::string tag,
                                int depth);
  absl::Status Store(const Manifest& manifest,
                     const std::vector<std::string>& tags);

  const Archive& archive_;
  const std::string name_;
  const absl::Time now_;
  ImageStore& images_;
  const ImportProgress& progress_;
  uint64_t bytes_ = 0;
  std::vector<std::string> added_;
  std::vector<std::string> stored_;
};

absl::Status Importer::ImportDocker() {
  ASSIGN_OR_RETURN(const json::value document,
                   ReadJson(archive_, "manifest.json"));
  if (!document.is_array() || document.as_array().empty()) {
    return Bad("manifest.json", "is not a list of images");
  }
  if (!name_.empty() && document.as_array().size() != 1) {
    return Bad("manifest.json", "holds several images, so none can be renamed");
  }
  for (const json::value& entry : document.as_array()) {
    RETURN_IF_ERROR(ImportDockerImage(entry));
  }
  return absl::OkStatus();
}

absl::Status Importer::ImportDockerImage(const json::value& entry) {
  constexpr std::string_view kFile = "manifest.json";
  ASSIGN_OR_RETURN(const std::string config_file,
                   StringMember(entry, "Config", kFile));
  const json::value* layers = entry.as_object().if_contains("Layers");
  if (layers == nullptr || !layers->is_array()) {
    return Bad(kFile, "has no list 'Layers'");
  }
  std::vector<std::string> tags;
  if (!name_.empty()) {
    tags.push_back(name_);
  } else if (const json::value* named =
                 entry.as_object().if_contains("RepoTags");
             named != nullptr && named->is_array()) {
    for (const json::value& tag : named->as_array()) {
      if (!tag.is_string()) return Bad(kFile, "has a tag that is no string");
      tags.emplace_back(std::string_view(tag.as_string()));
    }
  }
  if (tags.empty()) {
    return Bad(kFile, "names no tag; give one with --name");
  }
  ASSIGN_OR_RETURN(const std::string config_bytes,
                   ReadSmall(archive_, config_file));
  ASSIGN_OR_RETURN(const ImageConfig config, ParseImageConfig(config_bytes));
  if (layers->as_array().size() != config.diff_ids.size()) {
    return Bad(kFile,
               base::StrCat("lists ", layers->as_array().size(),
                            " layers, its config ", config.diff_ids.size()));
  }
  Manifest manifest;
  manifest.media_type = kOciManifest;
  ASSIGN_OR_RETURN(const ImageStore::AddedBlob stored,
                   AddFile(config_file, DigestOf(config_bytes)));
  manifest.config = {std::string(kOciConfig), stored.digest, stored.size, "",
                     ""};
  for (size_t i = 0; i < layers->as_array().size(); ++i) {
    const json::value& file = layers->as_array()[i];
    if (!file.is_string()) return Bad(kFile, "has a layer that is no string");
    const std::string path(std::string_view(file.as_string()));
    ASSIGN_OR_RETURN(const ImageStore::AddedBlob layer, AddFile(path, ""));
    const bool is_plain = layer.digest == config.diff_ids[i];
    std::string_view media_type = kOciLayer;
    if (!is_plain) {
      RETURN_IF_ERROR(CheckPacked(path, layer.digest, config.diff_ids[i]));
      ASSIGN_OR_RETURN(media_type, PackedType(layer.digest));
    }
    manifest.layers.push_back(
        {std::string(media_type), layer.digest, layer.size, "", ""});
  }
  return Store(manifest, tags);
}

absl::Status Importer::CheckPacked(const std::string& file,
                                   const std::string& digest,
                                   const std::string& diff_id) {
  ASSIGN_OR_RETURN(BlobStore::Opened opened, images_.OpenBlob(digest));
  ASSIGN_OR_RETURN(
      std::unique_ptr<ByteSource> plain,
      Decompress(FileSource(std::move(opened.fd), 0, opened.size)));
  Sha256 hash;
  RETURN_IF_ERROR(Drain(*HashingSource(std::move(plain), &hash)));
  if (hash.Digest() == diff_id) return absl::OkStatus();
  return Bad(file,
             base::StrCat("is damaged: its digest is not '", diff_id, "'"));
}

absl::StatusOr<std::string_view> Importer::PackedType(
    const std::string& digest) {
  ASSIGN_OR_RETURN(BlobStore::Opened opened, images_.OpenBlob(digest));
  char first = 0;
  const std::unique_ptr<ByteSource> source =
      FileSource(std::move(opened.fd), 0, opened.size);
  RETURN_IF_ERROR(source->Read(&first, 1).status());
  constexpr char kGzipMagic = '\x1f';
  return first == kGzipMagic ? kOciLayerGzip : kOciLayerZstd;
}

absl::Status Importer::Store(const Manifest& manifest,
                             const std::vector<std::string>& tags) {
  for (const std::string& tag : tags) {
    ASSIGN_OR_RETURN(const Reference reference, ParseReference(tag));
    RETURN_IF_ERROR(images_
                        .PutManifest(reference.name(), reference.tag,
                                     manifest.media_type,
                                     WriteManifest(manifest), now_)
                        .status());
    stored_.push_back(reference.ToString());
  }
  return absl::OkStatus();
}

std::string Annotation(const json::value& entry, std::string_view key) {
  const json::value* all = entry.is_object()
                               ? entry.as_object().if_contains("annotations")
                               : nullptr;
  const json::value* one = all != nullptr && all->is_object()
                               ? all->as_object().if_contains(key)
                               : nullptr;
  return one != nullptr && one->is_string()
             ? std::string(std::string_view(one->as_string()))
             : std::string();
}

absl::Status Importer::ImportLayout() {
  constexpr std::string_view kFile = "index.json";
  ASSIGN_OR_RETURN(const std::string bytes, ReadSmall(archive_, kFile));
  ASSIGN_OR_RETURN(const auto document, ParseManifest(bytes, kOciIndex));
  const auto* index = std::get_if<Index>(&document);
  if (index == nullptr || index->manifests.empty()) {
    return Bad(kFile, "lists no images");
  }
  if (!name_.empty() && index->manifests.size() != 1) {
    return Bad(kFile, "holds several images, so none can be renamed");
  }
  ASSIGN_OR_RETURN(const json::value raw, ReadJson(archive_, kFile));
  for (size_t i = 0; i < index->manifests.size(); ++i) {
    const json::value& entry = raw.at("manifests").as_array()[i];
    std::string named = name_;
    if (named.empty()) named = Annotation(entry, kContainerdName);
    if (named.empty()) named = Annotation(entry, kRefName);
    if (named.empty()) {
      return Bad(kFile, "names no tag; give one with --name");
    }
    ASSIGN_OR_RETURN(const Reference reference, ParseReference(named));
    RETURN_IF_ERROR(ImportDescriptor(reference.name(), index->manifests[i],
                                     reference.tag, 0));
    stored_.push_back(reference.ToString());
  }
  return absl::OkStatus();
}

std::string BlobFile(const std::string& digest) {
  return base::StrCat("blobs/sha256/",
                      digest.substr(std::string_view("sha256:").size()));
}

absl::Status Importer::ImportDescriptor(const std::string& name,
                                        const Descriptor& descriptor,
                                        std::string tag, int depth) {
  ASSIGN_OR_RETURN(const std::string bytes,
                   ReadSmall(archive_, BlobFile(descriptor.digest)));
  if (DigestOf(bytes) != descriptor.digest) {
    return Bad(BlobFile(descriptor.digest), "is damaged");
  }
  ASSIGN_OR_RETURN(const auto document,
                   ParseManifest(bytes, descriptor.media_type));
  if (const auto* index = std::get_if<Index>(&document)) {
    if (depth > 0) return Bad("index.json", "nests indexes too deeply");
    // Archives may hold one platform of many: that one is stored by itself.
    std::vector<Descriptor> present;
    for (const Descriptor& child : index->manifests) {
      if (archive_.Has(BlobFile(child.digest))) present.push_back(child);
    }
    if (present.size() != index->manifests.size()) {
      ASSIGN_OR_RETURN(const Descriptor chosen,
                       ChoosePlatform(Index{index->media_type, present}));
      return ImportDescriptor(name, chosen, std::move(tag), depth + 1);
    }
    for (const Descriptor& child : present) {
      RETURN_IF_ERROR(ImportDescriptor(name, child, "", depth + 1));
    }
    return images_.PutManifest(name, tag, index->media_type, bytes, now_)
        .status();
  }
  const auto& manifest = std::get<Manifest>(document);
  RETURN_IF_ERROR(
      AddFile(BlobFile(manifest.config.digest), manifest.config.digest)
          .status());
  for (const Descriptor& layer : manifest.layers) {
    RETURN_IF_ERROR(AddFile(BlobFile(layer.digest), layer.digest).status());
  }
  return images_.PutManifest(name, tag, manifest.media_type, bytes, now_)
      .status();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ImportImages(
    const Archive& archive, std::string_view name, absl::Time now,
    ImageStore& images, const ImportProgress& progress) {
  return Importer(archive, name, now, images, progress).Run();
}

}  // namespace brume::store::image
