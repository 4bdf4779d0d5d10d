#include "store/image/manifest.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/digest.h"

#include <absl/strings/str_join.h>
#include <boost/json.hpp>

#include <utility>

namespace brume::store::image {
namespace {

namespace json = boost::json;

#if defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#else
constexpr std::string_view kArchitecture = "amd64";
#endif

absl::Status Bad(std::string_view what, std::string_view cause) {
  return absl::InvalidArgumentError(
      base::StrCat("parse image ", what, ": ", cause));
}

absl::StatusOr<json::object> ParseObject(std::string_view bytes,
                                         std::string_view what) {
  if (bytes.size() > kMaxDocument) return Bad(what, "larger than 4 MiB");
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  json::value value = json::parse(json::string_view(bytes.data(), bytes.size()),
                                  error, json::storage_ptr(), options);
  if (error) return Bad(what, error.message());
  if (!value.is_object()) return Bad(what, "not a JSON object");
  return std::move(value.as_object());
}

// A member that may be absent or null; INVALID_ARGUMENT when of another kind.
absl::Status GetString(const json::object& from, std::string_view what,
                       std::string_view key, std::string& out) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return absl::OkStatus();
  if (!value->is_string()) {
    return Bad(what, base::StrCat("'", key, "' is not a string"));
  }
  out = std::string(std::string_view(value->as_string()));
  if (out.find('\0') != std::string::npos) {
    return Bad(what, base::StrCat("'", key, "' holds a NUL character"));
  }
  return absl::OkStatus();
}

absl::Status GetStrings(const json::object& from, std::string_view what,
                        std::string_view key, std::vector<std::string>& out) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return absl::OkStatus();
  if (!value->is_array()) {
    return Bad(what, base::StrCat("'", key, "' is not a list"));
  }
  for (const json::value& item : value->as_array()) {
    if (!item.is_string() || std::string_view(item.as_string()).find('\0') !=
                                 std::string_view::npos) {
      return Bad(what, base::StrCat("'", key, "' is not a list of strings"));
    }
    out.emplace_back(std::string_view(item.as_string()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Descriptor> ParseDescriptor(const json::value& value,
                                           std::string_view field) {
  if (!value.is_object()) {
    return Bad("manifest", base::StrCat("'", field, "' is not an object"));
  }
  const json::object& object = value.as_object();
  Descriptor out;
  RETURN_IF_ERROR(GetString(object, field, "mediaType", out.media_type));
  RETURN_IF_ERROR(GetString(object, field, "digest", out.digest));
  if (!IsDigest(out.digest)) {
    return Bad("manifest", base::StrCat("'", field,
                                        ".digest' is not a sha256 "
                                        "digest: '",
                                        out.digest, "'"));
  }
  const json::value* size = object.if_contains("size");
  if (size == nullptr || !size->is_int64() || size->as_int64() < 0) {
    return Bad("manifest", base::StrCat("'", field, ".size' is not a size"));
  }
  out.size = static_cast<uint64_t>(size->as_int64());
  const json::value* platform = object.if_contains("platform");
  if (platform != nullptr && platform->is_object()) {
    RETURN_IF_ERROR(GetString(platform->as_object(), field, "os", out.os));
    RETURN_IF_ERROR(GetString(platform->as_object(), field, "architecture",
                              out.architecture));
  }
  return out;
}

absl::StatusOr<std::vector<Descriptor>> ParseDescriptors(
    const json::object& document, std::string_view field) {
  const json::value* list = document.if_contains(field);
  if (list == nullptr || !list->is_array()) {
    return Bad("manifest", base::StrCat("'", field, "' is not a list"));
  }
  std::vector<Descriptor> out;
  for (const json::value& item : list->as_array()) {
    ASSIGN_OR_RETURN(
        Descriptor descriptor,
        ParseDescriptor(item, base::StrCat(field, "[", out.size(), "]")));
    out.push_back(std::move(descriptor));
  }
  return out;
}

json::object ToJson(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type},
          {"digest", descriptor.digest},
          {"size", descriptor.size}};
}

}  // namespace

absl::StatusOr<std::variant<Manifest, Index>> ParseManifest(
    std::string_view bytes, std::string_view media_type) {
  ASSIGN_OR_RETURN(const json::object document, ParseObject(bytes, "manifest"));
  const json::value* version = document.if_contains("schemaVersion");
  if (version == nullptr || !version->is_int64() || version->as_int64() != 2) {
    return Bad("manifest", "'schemaVersion' must be 2");
  }
  std::string type(media_type);
  RETURN_IF_ERROR(GetString(document, "manifest", "mediaType", type));
  const bool lists = document.contains("manifests");
  if (type.empty()) type = lists ? kOciIndex : kOciManifest;
  if (type == kOciIndex || type == kDockerIndex) {
    Index index;
    index.media_type = type;
    ASSIGN_OR_RETURN(index.manifests, ParseDescriptors(document, "manifests"));
    return index;
  }
  if (type != kOciManifest && type != kDockerManifest) {
    return Bad("manifest",
               base::StrCat("media type '", type, "' is not an image's"));
  }
  if (lists) return Bad("manifest", "both 'manifests' and an image's type");
  Manifest manifest;
  manifest.media_type = type;
  const json::value* config = document.if_contains("config");
  if (config == nullptr) return Bad("manifest", "'config' is missing");
  ASSIGN_OR_RETURN(manifest.config, ParseDescriptor(*config, "config"));
  ASSIGN_OR_RETURN(manifest.layers, ParseDescriptors(document, "layers"));
  if (manifest.layers.size() > kMaxLayers) {
    return Bad("manifest", base::StrCat("more than ", kMaxLayers, " layers"));
  }
  return manifest;
}

absl::StatusOr<Descriptor> ChoosePlatform(const Index& index) {
  std::vector<std::string> known;
  const Descriptor* any = nullptr;
  for (const Descriptor& entry : index.manifests) {
    if (entry.os == "linux" && entry.architecture == kArchitecture) {
      return entry;
    }
    if (entry.os.empty() && any == nullptr) any = &entry;
    known.push_back(base::StrCat(entry.os, "/", entry.architecture));
  }
  if (any != nullptr) return *any;
  return absl::NotFoundError(base::StrCat(
      "choose image: none is for linux/", kArchitecture,
      "; there are: ", known.empty() ? "none" : absl::StrJoin(known, ", ")));
}

absl::StatusOr<ImageConfig> ParseImageConfig(std::string_view bytes) {
  constexpr std::string_view kWhat = "config";
  ASSIGN_OR_RETURN(const json::object document, ParseObject(bytes, kWhat));
  ImageConfig out;
  RETURN_IF_ERROR(GetString(document, kWhat, "os", out.os));
  RETURN_IF_ERROR(GetString(document, kWhat, "architecture", out.architecture));
  const json::value* rootfs = document.if_contains("rootfs");
  if (rootfs != nullptr && rootfs->is_object()) {
    RETURN_IF_ERROR(
        GetStrings(rootfs->as_object(), kWhat, "diff_ids", out.diff_ids));
  }
  for (const std::string& id : out.diff_ids) {
    if (!IsDigest(id)) {
      return Bad(kWhat, base::StrCat("'rootfs.diff_ids' holds '", id, "'"));
    }
  }
  const json::value* config = document.if_contains("config");
  if (config == nullptr || config->is_null()) return out;
  if (!config->is_object()) return Bad(kWhat, "'config' is not an object");
  const json::object& run = config->as_object();
  RETURN_IF_ERROR(GetString(run, kWhat, "User", out.user));
  RETURN_IF_ERROR(GetString(run, kWhat, "WorkingDir", out.working_dir));
  RETURN_IF_ERROR(GetStrings(run, kWhat, "Env", out.env));
  RETURN_IF_ERROR(GetStrings(run, kWhat, "Entrypoint", out.entrypoint));
  RETURN_IF_ERROR(GetStrings(run, kWhat, "Cmd", out.cmd));
  const json::value* labels = run.if_contains("Labels");
  if (labels != nullptr && labels->is_object()) {
    for (const auto& label : labels->as_object()) {
      if (!label.value().is_string()) continue;
      out.labels[std::string(std::string_view(label.key()))] =
          std::string(std::string_view(label.value().as_string()));
    }
  }
  return out;
}

std::string WriteImageConfig(const ImageConfig& config) {
  json::object labels;
  for (const auto& [key, value] : config.labels) labels[key] = value;
  json::object run = {{"Env", json::value_from(config.env)},
                      {"Labels", std::move(labels)}};
  if (!config.user.empty()) run["User"] = config.user;
  if (!config.working_dir.empty()) run["WorkingDir"] = config.working_dir;
  if (!config.entrypoint.empty()) {
    run["Entrypoint"] = json::value_from(config.entrypoint);
  }
  if (!config.cmd.empty()) run["Cmd"] = json::value_from(config.cmd);
  const json::object document = {
      {"architecture", config.architecture.empty() ? std::string(kArchitecture)
                                                   : config.architecture},
      {"os", config.os.empty() ? "linux" : config.os},
      {"config", std::move(run)},
      {"rootfs",
       {{"type", "layers"}, {"diff_ids", json::value_from(config.diff_ids)}}}};
  return json::serialize(document);
}

std::string WriteManifest(const Manifest& manifest) {
  json::array layers;
  for (const Descriptor& layer : manifest.layers) {
    layers.push_back(ToJson(layer));
  }
  const json::object document = {{"schemaVersion", 2},
                                 {"mediaType", manifest.media_type},
                                 {"config", ToJson(manifest.config)},
                                 {"layers", std::move(layers)}};
  return json::serialize(document);
}

}  // namespace brume::store::image
