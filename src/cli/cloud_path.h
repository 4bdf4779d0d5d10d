#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace brume::cli {

// "gs://BUCKET/OBJECT", or a path of this machine ("-" is standard input or
// output).
struct CloudPath {
  bool remote = false;
  std::string bucket;
  std::string object;  // may be empty: the bucket
  std::string local;

  std::string Text() const;
};

// INVALID_ARGUMENT for "gs://" without a bucket.
absl::StatusOr<CloudPath> ParseCloudPath(std::string_view text);

// The last component: of an object's name or a path, without slashes at its
// end.
std::string BaseName(std::string_view path);

// The content type that Google's clients guess from a name; else
// application/octet-stream.
std::string_view ContentTypeOf(std::string_view name);

}  // namespace brume::cli
