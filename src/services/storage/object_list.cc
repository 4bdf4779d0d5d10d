#include "services/storage/object_list.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "services/storage/glob.h"
#include "services/storage/keys.h"
#include "services/storage/row_cursor.h"
#include "services/storage/storage_errors.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace brume::services::storage {
namespace {

using brume::storage::ListPosition;
using brume::storage::ObjectRecord;

constexpr std::string_view kLive = "storage.object";
constexpr std::string_view kNoncurrent = "storage.noncurrent";

// The rows of both tables by (name, generation); the live one is the newest.
class Versions {
 public:
  Versions(store::KvReader* reader, const ListRequest& request)
      : bucket_(request.bucket),
        live_(reader, ObjectsWithPrefix(kLive, bucket_, request.prefix)) {
    if (request.versions) {
      noncurrent_.emplace(
          reader, ObjectsWithPrefix(kNoncurrent, bucket_, request.prefix));
    }
  }

  // The object at the cursor; nullopt at the end.
  absl::StatusOr<std::optional<brume::storage::Object>> Take() {
    ASSIGN_OR_RETURN(const store::KeyValue* live, live_.Peek());
    const store::KeyValue* old = nullptr;
    if (noncurrent_) {
      ASSIGN_OR_RETURN(old, noncurrent_->Peek());
    }
    if (live == nullptr && old == nullptr) {
      return std::optional<brume::storage::Object>();
    }
    std::optional<brume::storage::Object> a;
    std::optional<brume::storage::Object> b;
    if (live != nullptr) {
      ASSIGN_OR_RETURN(a, Parse(*live));
    }
    if (old != nullptr) {
      ASSIGN_OR_RETURN(b, Parse(*old));
    }
    if (b && (!a || b->name() <= a->name())) {
      noncurrent_->Next();
      return b;
    }
    live_.Next();
    return a;
  }

  void SeekToName(std::string_view name) {
    live_.SeekTo(ObjectsFrom(kLive, bucket_, name));
    if (noncurrent_) {
      noncurrent_->SeekTo(ObjectsFrom(kNoncurrent, bucket_, name));
    }
  }
  void SkipPrefix(std::string_view prefix) {
    live_.SeekTo(ObjectsWithPrefix(kLive, bucket_, prefix).end);
    if (noncurrent_) {
      noncurrent_->SeekTo(ObjectsWithPrefix(kNoncurrent, bucket_, prefix).end);
    }
  }
  // Past the live object `name`, and all its older generations with it.
  void SkipLive(std::string_view name) {
    live_.SeekTo(ObjectKey(bucket_, name) + '\0');
    if (noncurrent_) {
      noncurrent_->SeekTo(NoncurrentOf(bucket_, name).end);
    }
  }
  // Past one noncurrent generation; a live one of that name is still to come.
  void SkipNoncurrent(std::string_view name, int64_t generation) {
    live_.SeekTo(ObjectKey(bucket_, name));
    if (noncurrent_) {
      noncurrent_->SeekTo(NoncurrentKey(bucket_, name, generation + 1));
    }
  }

 private:
  static absl::StatusOr<std::optional<brume::storage::Object>> Parse(
      const store::KeyValue& row) {
    ObjectRecord record;
    if (!record.ParseFromString(row.value)) {
      return absl::DataLossError("read object record: malformed");
    }
    return std::optional<brume::storage::Object>(
        std::move(*record.mutable_object()));
  }

  const std::string bucket_;
  RowCursor live_;
  std::optional<RowCursor> noncurrent_;
};

absl::StatusOr<ListPosition> ParseToken(const std::string& token) {
  ListPosition position;
  const std::optional<std::string> bytes = base::Base64Decode(token);
  if (!bytes || !position.ParseFromString(*bytes) || position.name().empty()) {
    return Invalid("Invalid Value");
  }
  return position;
}

}  // namespace

absl::StatusOr<ListReply> ListObjects(store::KvReader& reader,
                                      const ListRequest& request) {
  Versions versions(&reader, request);
  if (!request.start_offset.empty()) versions.SeekToName(request.start_offset);
  if (!request.page_token.empty()) {
    ASSIGN_OR_RETURN(const ListPosition from, ParseToken(request.page_token));
    if (from.prefix()) {
      versions.SkipPrefix(from.name());
    } else if (from.generation() != 0) {
      versions.SkipNoncurrent(from.name(), from.generation());
    } else {
      versions.SkipLive(from.name());
    }
  }

  ListReply reply;
  ListPosition last;
  while (true) {
    ASSIGN_OR_RETURN(std::optional<brume::storage::Object> object,
                     versions.Take());
    if (!object) return reply;
    const std::string& name = object->name();
    if (!request.end_offset.empty() && name >= request.end_offset) {
      return reply;
    }
    if (!request.match_glob.empty() && !MatchesGlob(request.match_glob, name)) {
      continue;
    }
    if (reply.items.size() + reply.prefixes.size() >= request.max_results) {
      reply.next_page_token = base::Base64Encode(last.SerializeAsString());
      return reply;
    }
    last.Clear();
    const size_t found =
        request.delimiter.empty()
            ? std::string::npos
            : name.find(request.delimiter, request.prefix.size());
    if (found == std::string::npos) {
      last.set_name(name);
      if (object->has_time_deleted()) last.set_generation(object->generation());
      reply.items.push_back(*std::move(object));
      continue;
    }
    const std::string common = name.substr(0, found + request.delimiter.size());
    last.set_name(common);
    last.set_prefix(true);
    reply.prefixes.push_back(common);
    if (request.include_trailing_delimiter && name == common) {
      reply.items.push_back(*std::move(object));
    }
    versions.SkipPrefix(common);
  }
}

}  // namespace brume::services::storage
