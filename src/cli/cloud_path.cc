#include "cli/cloud_path.h"

#include "base/str_cat.h"

#include <utility>

namespace brume::cli {

std::string CloudPath::Text() const {
  return remote ? base::StrCat("gs://", bucket, "/", object) : local;
}

absl::StatusOr<CloudPath> ParseCloudPath(std::string_view text) {
  CloudPath out;
  if (!text.starts_with("gs://")) {
    if (text.empty()) {
      return absl::InvalidArgumentError("read path '': it is empty");
    }
    out.local = text;
    return out;
  }
  text.remove_prefix(5);
  out.remote = true;
  const size_t slash = text.find('/');
  out.bucket = text.substr(0, slash);
  if (slash != text.npos) out.object = text.substr(slash + 1);
  if (out.bucket.empty()) {
    return absl::InvalidArgumentError(
        base::StrCat("read path 'gs://", text, "': it names no bucket"));
  }
  return out;
}

std::string BaseName(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string_view ContentTypeOf(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".csv", "text/csv"},          {".gif", "image/gif"},
      {".gz", "application/gzip"},   {".html", "text/html"},
      {".jpeg", "image/jpeg"},       {".jpg", "image/jpeg"},
      {".json", "application/json"}, {".md", "text/markdown"},
      {".mp4", "video/mp4"},         {".pdf", "application/pdf"},
      {".png", "image/png"},         {".py", "text/x-python"},
      {".tar", "application/x-tar"}, {".txt", "text/plain"},
      {".xml", "text/xml"},          {".yaml", "text/yaml"},
      {".yml", "text/yaml"},         {".zip", "application/zip"}};
  for (const auto& [suffix, type] : kTypes) {
    if (name.ends_with(suffix)) return type;
  }
  return "application/octet-stream";
}

}  // namespace brume::cli
