#pragma once

#include "client/google_api.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::client {

struct ObjectInfo {
  std::string bucket;
  std::string name;
  uint64_t size = 0;
  int64_t generation = 0;
  std::string crc32c;  // base64 of 4 bytes, big-endian; as the API says it
  std::string content_type;
  std::string updated;  // RFC 3339
};

// Where an upload's bytes come from. Read gives what begins at `offset`: an
// upload that was interrupted goes on from what the service has.
struct UploadSource {
  std::function<absl::StatusOr<size_t>(uint64_t offset, char* out, size_t size)>
      read;
  uint64_t size = 0;
  std::string content_type;
};

// Told how many more bytes are there; negative when some must come again.
using Progress = std::function<void(int64_t bytes)>;

// Cloud Storage's JSON API: streams both ways, goes on after interruptions, and
// compares checksums (CRC32C) of all that passes. Not thread-safe.
class StorageClient {
 public:
  struct Options {
    GoogleApi* api = nullptr;
    std::string base_url = "https://storage.googleapis.com";
  };
  explicit StorageClient(Options options) : options_(std::move(options)) {}

  // By name, from all pages.
  absl::Status ListBuckets(
      std::string_view project,
      const std::function<absl::Status(std::string name)>& visit);

  // Objects and, with a delimiter, prefixes; in the service's order.
  struct Item {
    std::optional<ObjectInfo> object;
    std::string prefix;
  };
  absl::Status List(std::string_view bucket, std::string_view prefix,
                    std::string_view delimiter,
                    const std::function<absl::Status(Item item)>& visit);

  absl::StatusOr<ObjectInfo> Get(std::string_view bucket,
                                 std::string_view name);
  absl::Status Delete(const ObjectInfo& object);

  // DATA_LOSS when the service did not get what was sent.
  absl::StatusOr<ObjectInfo> Upload(std::string_view bucket,
                                    std::string_view name,
                                    const UploadSource& source,
                                    const Progress& progress);

  // All of that generation. DATA_LOSS when it is not what the service says it
  // is; what was written is then of no use.
  absl::Status Download(const ObjectInfo& object, const BodyWriter& writer,
                        const Progress& progress);

  absl::StatusOr<ObjectInfo> Copy(const ObjectInfo& from,
                                  std::string_view bucket,
                                  std::string_view name);

 private:
  std::string ObjectUrl(std::string_view bucket, std::string_view name) const;
  absl::StatusOr<ObjectInfo> UploadAtOnce(std::string_view bucket,
                                          std::string_view name,
                                          const UploadSource& source,
                                          const Progress& progress);
  absl::StatusOr<ObjectInfo> UploadResumably(std::string_view bucket,
                                             std::string_view name,
                                             const UploadSource& source,
                                             const Progress& progress);
  // What the service has of a resumable upload; nullopt when it has all, then
  // `done` is the object.
  absl::StatusOr<std::optional<uint64_t>> Persisted(const Url& session,
                                                    uint64_t size,
                                                    ObjectInfo* done);

  const Options options_;
};

// A running CRC32C, and its form in the API.
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);
std::string Crc32cText(uint32_t crc);

}  // namespace brume::client
