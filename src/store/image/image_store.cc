#include "store/image/image_store.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/digest.h"
#include "store/kv/key.h"

#include <absl/strings/numbers.h>
#include <absl/time/clock.h>

#include <utility>
#include <variant>

namespace brume::store::image {
namespace {

// Rows:
//   ("image-blob", digest)                -> "<size> <added> <blob id>"
//   ("image-link", digest, name, manifest) -> "": the manifest uses the blob
//   ("image-manifest", name, digest)      -> "<media type>\n<bytes>"
//   ("image-tag", name, tag)              -> "<time> <digest>"
// Parents of links are blobs: who adds a link reads the blob's row for update,
// who removes a blob deletes that row.
std::string BlobKey(std::string_view digest) {
  return Key("image-blob").Add(digest).str();
}
std::string LinkKey(std::string_view digest, std::string_view name,
                    std::string_view manifest) {
  return Key("image-link").Add(digest).Add(name).Add(manifest).str();
}
std::string ManifestKey(std::string_view name, std::string_view digest) {
  return Key("image-manifest").Add(name).Add(digest).str();
}
std::string TagKey(std::string_view name, std::string_view tag) {
  return Key("image-tag").Add(name).Add(tag).str();
}

struct BlobRow {
  uint64_t size = 0;
  int64_t added = 0;  // seconds since 1970
  BlobId id;
};

std::string Write(const BlobRow& row) {
  return base::StrCat(row.size, " ", row.added, " ", row.id);
}

absl::StatusOr<BlobRow> ReadBlobRow(std::string_view text) {
  const size_t first = text.find(' ');
  const size_t second = text.find(' ', first + 1);
  BlobRow row;
  if (second == std::string_view::npos ||
      !absl::SimpleAtoi(base::ToAbsl(text.substr(0, first)), &row.size) ||
      !absl::SimpleAtoi(
          base::ToAbsl(text.substr(first + 1, second - first - 1)),
          &row.added)) {
    return absl::DataLossError("read image blob row: malformed");
  }
  row.id = std::string(text.substr(second + 1));
  return row;
}

StoredManifest ReadManifestRow(std::string_view digest,
                               std::string_view value) {
  const size_t end = value.find('\n');
  return {std::string(digest), std::string(value.substr(0, end)),
          std::string(value.substr(end + 1))};
}

// Digests of the blobs and manifests a document refers to.
struct Referred {
  std::vector<std::string> blobs;
  std::vector<std::string> manifests;
  std::string media_type;
};

absl::StatusOr<Referred> ReferredBy(std::string_view bytes,
                                    std::string_view media_type) {
  ASSIGN_OR_RETURN(const auto document, ParseManifest(bytes, media_type));
  Referred out;
  if (const auto* index = std::get_if<Index>(&document)) {
    out.media_type = index->media_type;
    for (const Descriptor& entry : index->manifests) {
      out.manifests.push_back(entry.digest);
    }
    return out;
  }
  const auto& manifest = std::get<Manifest>(document);
  out.media_type = manifest.media_type;
  out.blobs.push_back(manifest.config.digest);
  for (const Descriptor& layer : manifest.layers) {
    out.blobs.push_back(layer.digest);
  }
  return out;
}

absl::StatusOr<bool> HasLink(KvReader& reader, std::string_view digest) {
  bool found = false;
  RETURN_IF_ERROR(
      reader.Scan(KeyRange::Prefix(Key("image-link").Add(digest).str()),
                  [&found](std::string_view, std::string_view) {
                    found = true;
                    return false;
                  }));
  return found;
}

// Deletes the blob's row and reference when no link is left.
absl::Status DropBlobIfUnlinked(KvTransaction& txn, BlobStore& blobs,
                                std::string_view digest) {
  ASSIGN_OR_RETURN(const auto value, txn.GetForUpdate(BlobKey(digest)));
  if (!value.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool linked, HasLink(txn, digest));
  if (linked) return absl::OkStatus();
  ASSIGN_OR_RETURN(const BlobRow row, ReadBlobRow(*value));
  RETURN_IF_ERROR(txn.Delete(BlobKey(digest)));
  return blobs.DropReference(txn, row.id);
}

}  // namespace

absl::StatusOr<ImageStore::AddedBlob> ImageStore::AddBlob(
    ByteSource& bytes, std::string_view expected) {
  ASSIGN_OR_RETURN(std::unique_ptr<BlobWriter> writer, blobs_.Create());
  Sha256 hash;
  std::vector<char> buffer(256 * 1024);
  while (true) {
    ASSIGN_OR_RETURN(const size_t got,
                     bytes.Read(buffer.data(), buffer.size()));
    if (got == 0) break;
    const std::string_view piece(buffer.data(), got);
    hash.Update(piece);
    RETURN_IF_ERROR(writer->Append(piece));
  }
  AddedBlob added;
  added.digest = hash.Digest();
  added.size = writer->size();
  if (!expected.empty() && added.digest != expected) {
    return absl::InvalidArgumentError(
        base::StrCat("add blob '", expected, "': its content has the digest '",
                     added.digest, "'"));
  }
  ASSIGN_OR_RETURN(const std::optional<uint64_t> known, FindBlob(added.digest));
  if (known.has_value()) return added;
  ASSIGN_OR_RETURN(const BlobId id, writer->Commit());
  const absl::Status stored = kv_.Transact([&](KvTransaction& txn) {
    ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(BlobKey(added.digest)));
    added.is_new = !row.has_value();
    if (!added.is_new) return absl::OkStatus();
    RETURN_IF_ERROR(blobs_.AddReference(txn, id));
    return txn.Put(BlobKey(added.digest),
                   Write({added.size, absl::ToUnixSeconds(absl::Now()), id}));
  });
  if (!stored.ok() || !added.is_new) {
    RETURN_IF_ERROR(blobs_.Discard(id));
  }
  RETURN_IF_ERROR(stored);
  return added;
}

absl::StatusOr<std::optional<uint64_t>> ImageStore::FindBlob(
    std::string_view digest) {
  ASSIGN_OR_RETURN(const auto value, kv_.Get(BlobKey(digest)));
  if (!value.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const BlobRow row, ReadBlobRow(*value));
  return row.size;
}

absl::StatusOr<BlobStore::Opened> ImageStore::OpenBlob(
    std::string_view digest) {
  ASSIGN_OR_RETURN(const auto value, kv_.Get(BlobKey(digest)));
  if (!value.has_value()) {
    return absl::NotFoundError(
        base::StrCat("open blob '", digest, "': there is none"));
  }
  ASSIGN_OR_RETURN(const BlobRow row, ReadBlobRow(*value));
  return blobs_.Open(row.id);
}

absl::StatusOr<std::string> ImageStore::ReadBlob(std::string_view digest,
                                                 size_t limit) {
  ASSIGN_OR_RETURN(BlobStore::Opened opened, OpenBlob(digest));
  const auto source = FileSource(std::move(opened.fd), 0, opened.size);
  return ReadAll(*source, limit);
}

absl::StatusOr<std::string> ImageStore::PutManifest(std::string_view name,
                                                    std::string_view tag,
                                                    std::string_view media_type,
                                                    std::string_view bytes,
                                                    absl::Time now) {
  ASSIGN_OR_RETURN(const Referred referred, ReferredBy(bytes, media_type));
  const std::string digest = DigestOf(bytes);
  RETURN_IF_ERROR(kv_.Transact([&](KvTransaction& txn) {
    for (const std::string& blob : referred.blobs) {
      ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(BlobKey(blob)));
      if (!row.has_value()) {
        return absl::FailedPreconditionError(base::StrCat(
            "store manifest of '", name, "': blob '", blob, "' is missing"));
      }
      RETURN_IF_ERROR(txn.Put(LinkKey(blob, name, digest), ""));
    }
    for (const std::string& child : referred.manifests) {
      ASSIGN_OR_RETURN(const auto row,
                       txn.GetForUpdate(ManifestKey(name, child)));
      if (!row.has_value()) {
        return absl::FailedPreconditionError(
            base::StrCat("store manifest of '", name, "': manifest '", child,
                         "' is missing"));
      }
    }
    RETURN_IF_ERROR(txn.Put(ManifestKey(name, digest),
                            base::StrCat(referred.media_type, "\n", bytes)));
    if (tag.empty()) return absl::OkStatus();
    return txn.Put(TagKey(name, tag),
                   base::StrCat(absl::ToUnixSeconds(now), " ", digest));
  }));
  return digest;
}

absl::StatusOr<StoredManifest> ImageStore::GetManifest(
    std::string_view name, std::string_view tag_or_digest) {
  std::string digest(tag_or_digest);
  if (!IsDigest(digest)) {
    ASSIGN_OR_RETURN(const auto tag, kv_.Get(TagKey(name, tag_or_digest)));
    if (!tag.has_value()) {
      return absl::NotFoundError(base::StrCat(
          "find image '", name, ":", tag_or_digest, "': there is none"));
    }
    digest = tag->substr(tag->find(' ') + 1);
  }
  ASSIGN_OR_RETURN(const auto value, kv_.Get(ManifestKey(name, digest)));
  if (!value.has_value()) {
    return absl::NotFoundError(
        base::StrCat("find image '", name, "@", digest, "': there is none"));
  }
  return ReadManifestRow(digest, *value);
}

absl::Status ImageStore::DeleteTag(std::string_view name,
                                   std::string_view tag) {
  return kv_.Transact([&](KvTransaction& txn) {
    ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(TagKey(name, tag)));
    if (!row.has_value()) {
      return absl::NotFoundError(
          base::StrCat("remove tag '", name, ":", tag, "': there is none"));
    }
    return txn.Delete(TagKey(name, tag));
  });
}

absl::Status ImageStore::DeleteManifest(std::string_view name,
                                        std::string_view digest) {
  RETURN_IF_ERROR(kv_.Transact([&](KvTransaction& txn) {
    ASSIGN_OR_RETURN(const auto value,
                     txn.GetForUpdate(ManifestKey(name, digest)));
    if (!value.has_value()) {
      return absl::NotFoundError(base::StrCat("remove image '", name, "@",
                                              digest, "': there is none"));
    }
    const StoredManifest stored = ReadManifestRow(digest, *value);
    ASSIGN_OR_RETURN(const Referred referred,
                     ReferredBy(stored.bytes, stored.media_type));
    std::vector<std::string> tags;
    RETURN_IF_ERROR(txn.Scan(KeyRange::Prefix(Key("image-tag").Add(name).str()),
                             [&](std::string_view key, std::string_view row) {
                               if (row.substr(row.find(' ') + 1) == digest)
                                 tags.emplace_back(key);
                               return true;
                             }));
    for (const std::string& tag : tags) RETURN_IF_ERROR(txn.Delete(tag));
    RETURN_IF_ERROR(txn.Delete(ManifestKey(name, digest)));
    for (const std::string& blob : referred.blobs) {
      RETURN_IF_ERROR(txn.Delete(LinkKey(blob, name, digest)));
      RETURN_IF_ERROR(DropBlobIfUnlinked(txn, blobs_, blob));
    }
    return absl::OkStatus();
  }));
  return blobs_.Collect();
}

absl::StatusOr<std::vector<ImageSummary>> ImageStore::List() {
  std::vector<ImageSummary> out;
  const std::unique_ptr<KvReader> snapshot = kv_.Snapshot();
  RETURN_IF_ERROR(snapshot->Scan(
      KeyRange::Prefix(Key("image-tag").str()),
      [&](std::string_view key, std::string_view row) {
        KeyParser parser(key);
        parser.Next();
        ImageSummary summary;
        summary.name = parser.Next().value_or("");
        summary.tag = parser.Next().value_or("");
        const size_t space = row.find(' ');
        int64_t seconds = 0;
        (void)absl::SimpleAtoi(base::ToAbsl(row.substr(0, space)), &seconds);
        summary.tagged = absl::FromUnixSeconds(seconds);
        summary.digest = std::string(row.substr(space + 1));
        out.push_back(std::move(summary));
        return true;
      }));
  for (ImageSummary& summary : out) {
    const auto stored = GetManifest(summary.name, summary.digest);
    if (!stored.ok()) continue;
    const auto image = Describe(summary.name, *stored);
    if (!image.ok()) continue;
    for (const Descriptor& layer : image->layers) summary.size += layer.size;
    summary.is_stand_in =
        image->config.labels.contains(std::string(kStandInLabel));
  }
  return out;
}

absl::StatusOr<ResolvedImage> ImageStore::Describe(
    std::string_view name, const StoredManifest& stored) {
  ASSIGN_OR_RETURN(auto document,
                   ParseManifest(stored.bytes, stored.media_type));
  ResolvedImage out;
  out.manifest_digest = stored.digest;
  if (const auto* index = std::get_if<Index>(&document)) {
    ASSIGN_OR_RETURN(const Descriptor chosen, ChoosePlatform(*index));
    ASSIGN_OR_RETURN(const StoredManifest inner,
                     GetManifest(name, chosen.digest));
    out.manifest_digest = inner.digest;
    ASSIGN_OR_RETURN(document, ParseManifest(inner.bytes, inner.media_type));
  }
  const auto* manifest = std::get_if<Manifest>(&document);
  if (manifest == nullptr) {
    return absl::InvalidArgumentError(base::StrCat(
        "read image '", name, "': an index that holds another index"));
  }
  ASSIGN_OR_RETURN(const std::string config,
                   ReadBlob(manifest->config.digest, kMaxDocument));
  ASSIGN_OR_RETURN(out.config, ParseImageConfig(config));
  out.layers = manifest->layers;
  if (out.layers.size() != out.config.diff_ids.size()) {
    return absl::InvalidArgumentError(base::StrCat(
        "read image '", name, "': ", out.layers.size(), " layers, but ",
        out.config.diff_ids.size(), " diff_ids in its config"));
  }
  return out;
}

absl::StatusOr<ResolvedImage> ImageStore::Resolve(std::string_view reference) {
  ASSIGN_OR_RETURN(Reference parsed, ParseReference(reference));
  const std::string wanted = parsed.digest.empty() ? parsed.tag : parsed.digest;
  std::string name = parsed.name();
  absl::StatusOr<StoredManifest> stored = GetManifest(name, wanted);
  if (absl::IsNotFound(stored.status()) && IsPrebuiltTrainingName(name)) {
    name = CanonicalPrebuiltName(name);
    stored = GetManifest(name, wanted);
  }
  if (absl::IsNotFound(stored.status())) {
    return absl::NotFoundError(base::StrCat(
        "Failed to pull image \"", reference, "\": not found; ",
        IsPrebuiltTrainingName(name)
            ? base::StrCat("make a stand-in with 'brume images stand-in ",
                           reference, "' or bring the real one with ")
            : "bring it with ",
        "'docker save ", reference, " | brume images import -'"));
  }
  RETURN_IF_ERROR(stored.status());
  ASSIGN_OR_RETURN(ResolvedImage image, Describe(name, *stored));
  image.reference =
      base::StrCat(name, parsed.digest.empty() ? ":" : "@", wanted);
  return image;
}

absl::Status ImageStore::DropIfUnreferenced(std::string_view digest) {
  RETURN_IF_ERROR(kv_.Transact([&](KvTransaction& txn) {
    return DropBlobIfUnlinked(txn, blobs_, digest);
  }));
  return blobs_.Collect();
}

absl::Status ImageStore::DropUnreferenced(absl::Time before) {
  std::vector<std::string> old;
  const std::unique_ptr<KvReader> snapshot = kv_.Snapshot();
  RETURN_IF_ERROR(snapshot->Scan(
      KeyRange::Prefix(Key("image-blob").str()),
      [&](std::string_view key, std::string_view value) {
        KeyParser parser(key);
        parser.Next();
        const auto row = ReadBlobRow(value);
        if (row.ok() && absl::FromUnixSeconds(row->added) < before) {
          old.push_back(parser.Next().value_or(""));
        }
        return true;
      }));
  for (const std::string& digest : old) {
    RETURN_IF_ERROR(DropIfUnreferenced(digest));
  }
  return absl::OkStatus();
}

}  // namespace brume::store::image
