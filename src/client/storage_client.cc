#include "client/storage_client.h"

#include "base/encoding.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "client/json_fields.h"

#include <absl/strings/numbers.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <isa-l/crc.h>

#include <algorithm>
#include <utility>

namespace brume::client {
namespace {

namespace json = boost::json;

// Up to here an object goes with its metadata in one request (as Google's own
// clients do it).
constexpr uint64_t kAtOnce = 8 << 20;
// Bytes that failed attempts may cost before an upload or download is given up:
// so many attempts without any progress.
constexpr int kAttempts = 6;

ObjectInfo InfoOf(const json::value& object) {
  ObjectInfo out;
  out.bucket = TextField(object, "bucket");
  out.name = TextField(object, "name");
  out.size = static_cast<uint64_t>(NumberField(object, "size"));
  out.generation = NumberField(object, "generation");
  out.crc32c = TextField(object, "crc32c");
  out.content_type = TextField(object, "contentType");
  out.updated = TextField(object, "updated");
  return out;
}

absl::StatusOr<ObjectInfo> ParseObject(const HttpReply& reply) {
  boost::system::error_code error;
  const json::value object = json::parse(reply.body, error);
  if (error) return absl::InternalError("read object: the reply is no JSON");
  return InfoOf(object);
}

absl::Status Differs(std::string_view action, const ObjectInfo& object) {
  return absl::DataLossError(
      base::StrCat(action, " 'gs://", object.bucket, "/", object.name,
                   "': the checksum differs; try again"));
}

// Whether a transfer that failed so may go on from where it is.
bool MayGoOn(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) {
  // crc32_iscsi takes a non-const pointer and an int; it changes nothing.
  while (!bytes.empty()) {
    const size_t piece = std::min<size_t>(bytes.size(), 1 << 30);
    auto* data =
        reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    crc = ~crc32_iscsi(data, static_cast<int>(piece), ~crc);
    bytes.remove_prefix(piece);
  }
  return crc;
}

std::string Crc32cText(uint32_t crc) {
  const char bytes[] = {static_cast<char>(crc >> 24),
                        static_cast<char>(crc >> 16),
                        static_cast<char>(crc >> 8), static_cast<char>(crc)};
  return base::Base64Encode(std::string_view(bytes, sizeof(bytes)));
}

std::string StorageClient::ObjectUrl(std::string_view bucket,
                                     std::string_view name) const {
  return base::StrCat(options_.base_url, "/storage/v1/b/",
                      base::PercentEncode(bucket), "/o/",
                      base::PercentEncode(name));
}

absl::Status StorageClient::ListBuckets(
    std::string_view project,
    const std::function<absl::Status(std::string name)>& visit) {
  const std::string url = base::StrCat(
      options_.base_url,
      "/storage/v1/b?maxResults=1000&project=", base::PercentEncode(project));
  return options_.api->Pages(
      url, [&](const json::value& page) -> absl::StatusOr<bool> {
        const json::value* items = Field(page, "items");
        if (items == nullptr || !items->is_array()) return true;
        for (const json::value& item : items->get_array()) {
          RETURN_IF_ERROR(visit(TextField(item, "name")));
        }
        return true;
      });
}

absl::Status StorageClient::List(
    std::string_view bucket, std::string_view prefix,
    std::string_view delimiter,
    const std::function<absl::Status(Item item)>& visit) {
  std::string url = base::StrCat(
      options_.base_url, "/storage/v1/b/", base::PercentEncode(bucket),
      "/o?maxResults=1000&prefix=", base::PercentEncode(prefix));
  if (!delimiter.empty()) {
    base::StrAppend(&url, "&delimiter=", base::PercentEncode(delimiter));
  }
  return options_.api->Pages(
      url, [&](const json::value& page) -> absl::StatusOr<bool> {
        const json::value* prefixes = Field(page, "prefixes");
        if (prefixes != nullptr && prefixes->is_array()) {
          for (const json::value& text : prefixes->get_array()) {
            if (!text.is_string()) continue;
            RETURN_IF_ERROR(visit({.object = std::nullopt,
                                   .prefix = std::string(text.get_string())}));
          }
        }
        const json::value* items = Field(page, "items");
        if (items == nullptr || !items->is_array()) return true;
        for (const json::value& item : items->get_array()) {
          RETURN_IF_ERROR(visit({.object = InfoOf(item), .prefix = ""}));
        }
        return true;
      });
}

absl::StatusOr<ObjectInfo> StorageClient::Get(std::string_view bucket,
                                              std::string_view name) {
  ASSIGN_OR_RETURN(const json::value object,
                   options_.api->Call("GET", ObjectUrl(bucket, name)));
  return InfoOf(object);
}

absl::Status StorageClient::Delete(const ObjectInfo& object) {
  return options_.api
      ->Call("DELETE", base::StrCat(ObjectUrl(object.bucket, object.name),
                                    "?ifGenerationMatch=", object.generation))
      .status();
}

absl::StatusOr<ObjectInfo> StorageClient::Upload(std::string_view bucket,
                                                 std::string_view name,
                                                 const UploadSource& source,
                                                 const Progress& progress) {
  return source.size <= kAtOnce
             ? UploadAtOnce(bucket, name, source, progress)
             : UploadResumably(bucket, name, source, progress);
}

absl::StatusOr<ObjectInfo> StorageClient::UploadAtOnce(
    std::string_view bucket, std::string_view name, const UploadSource& source,
    const Progress& progress) {
  std::string bytes(source.size, '\0');
  for (size_t have = 0; have < bytes.size();) {
    ASSIGN_OR_RETURN(const size_t got, source.read(have, bytes.data() + have,
                                                   bytes.size() - have));
    if (got == 0) return absl::DataLossError("read source: it ended early");
    have += got;
  }
  const std::string crc = Crc32cText(ExtendCrc32c(0, bytes));
  // The service refuses what does not have the checksum in the metadata.
  const std::string metadata = json::serialize(
      json::object{{"name", json::string_view(name.data(), name.size())},
                   {"contentType", source.content_type},
                   {"crc32c", crc}});
  const std::string boundary = base::StrCat("brume-", base::RandomHex(32));
  HttpRequest request{.method = "POST"};
  ASSIGN_OR_RETURN(request.url, ParseUrl(base::StrCat(
                                    options_.base_url, "/upload/storage/v1/b/",
                                    base::PercentEncode(bucket),
                                    "/o?uploadType=multipart")));
  request.headers = {
      {"Content-Type", base::StrCat("multipart/related; boundary=", boundary)}};
  request.body = base::StrCat(
      "--", boundary, "\r\nContent-Type: application/json\r\n\r\n", metadata,
      "\r\n--", boundary, "\r\nContent-Type: ", source.content_type, "\r\n\r\n",
      bytes, "\r\n--", boundary, "--\r\n");
  // Sent twice it makes the same object once more: worth less than failing.
  absl::Status last;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    if (attempt > 1) options_.api->Sleep(GoogleApi::DelayBefore(attempt));
    const absl::StatusOr<HttpReply> reply = options_.api->Send(request);
    if (!reply.ok()) {
      last = reply.status();
      if (!MayGoOn(last)) return last;
      continue;
    }
    if (reply->status / 100 == 2) {
      ASSIGN_OR_RETURN(ObjectInfo object, ParseObject(*reply));
      if (object.crc32c != crc) return Differs("upload", object);
      progress(static_cast<int64_t>(source.size));
      return object;
    }
    last = StatusOf(*reply);
    if (!IsTransient(*reply)) return last;
  }
  return last;
}

absl::StatusOr<ObjectInfo> StorageClient::UploadResumably(
    std::string_view bucket, std::string_view name, const UploadSource& source,
    const Progress& progress) {
  HttpRequest start{.method = "POST"};
  ASSIGN_OR_RETURN(
      start.url,
      ParseUrl(base::StrCat(
          options_.base_url, "/upload/storage/v1/b/",
          base::PercentEncode(bucket),
          "/o?uploadType=resumable&name=", base::PercentEncode(name))));
  start.headers = {{"Content-Type", "application/json"},
                   {"X-Upload-Content-Type", source.content_type},
                   {"X-Upload-Content-Length", std::to_string(source.size)}};
  start.body =
      json::serialize(json::object{{"contentType", source.content_type}});
  ASSIGN_OR_RETURN(const HttpReply started, options_.api->Send(start));
  if (started.status != 200) return StatusOf(started);
  ASSIGN_OR_RETURN(const Url session,
                   ParseUrl(std::string(started.Header("location"))));

  uint64_t offset = 0;
  uint64_t counted = 0;
  uint32_t crc = 0;
  uint64_t crc_at = 0;
  int idle = 0;
  while (true) {
    uint64_t at = offset;
    HttpRequest put{.method = "PUT", .url = session};
    put.headers = {
        {"Content-Range", base::StrCat("bytes ", offset, "-", source.size - 1,
                                       "/", source.size)}};
    put.length = source.size - offset;
    put.reader = [&](char* out, size_t size) -> absl::StatusOr<size_t> {
      ASSIGN_OR_RETURN(const size_t got, source.read(at, out, size));
      // What is sent a second time is summed already.
      const uint64_t end = at + got;
      if (end > crc_at) {
        const size_t known = crc_at > at ? crc_at - at : 0;
        crc = ExtendCrc32c(crc, std::string_view(out + known, got - known));
        crc_at = end;
      }
      at = end;
      if (at > counted) {
        progress(static_cast<int64_t>(at - counted));
        counted = at;
      }
      return got;
    };
    const absl::StatusOr<HttpReply> reply = options_.api->Send(put);
    std::optional<ObjectInfo> object;
    if (reply.ok() && reply->status / 100 == 2) {
      ASSIGN_OR_RETURN(object, ParseObject(*reply));
    } else if (reply.ok() && reply->status != 308 && !IsTransient(*reply)) {
      return StatusOf(*reply);
    } else if (!reply.ok() && !MayGoOn(reply.status())) {
      return reply.status();
    }
    if (!object.has_value()) {
      options_.api->Sleep(GoogleApi::DelayBefore(idle + 2));
      ObjectInfo done;
      ASSIGN_OR_RETURN(const std::optional<uint64_t> have,
                       Persisted(session, source.size, &done));
      if (!have.has_value()) {
        object = done;
      } else {
        idle = *have > offset ? 0 : idle + 1;
        if (idle >= kAttempts) {
          return reply.ok() ? StatusOf(*reply) : reply.status();
        }
        progress(static_cast<int64_t>(*have) - static_cast<int64_t>(counted));
        counted = *have;
        offset = *have;
        continue;
      }
    }
    if (object->crc32c == Crc32cText(crc) && crc_at == source.size) {
      return *std::move(object);
    }
    Delete(*object).IgnoreError();
    return Differs("upload", *object);
  }
}

absl::StatusOr<std::optional<uint64_t>> StorageClient::Persisted(
    const Url& session, uint64_t size, ObjectInfo* done) {
  HttpRequest ask{.method = "PUT", .url = session};
  ask.headers = {{"Content-Range", base::StrCat("bytes */", size)}};
  absl::Status last;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    if (attempt > 1) options_.api->Sleep(GoogleApi::DelayBefore(attempt));
    const absl::StatusOr<HttpReply> reply = options_.api->Send(ask);
    if (!reply.ok()) {
      last = reply.status();
      if (!MayGoOn(last)) return last;
      continue;
    }
    if (reply->status / 100 == 2) {
      ASSIGN_OR_RETURN(*done, ParseObject(*reply));
      return std::optional<uint64_t>();
    }
    if (reply->status == 308) {
      // "bytes=0-N"; nothing is there when there is no such field.
      const std::string_view range = reply->Header("range");
      const size_t dash = range.find('-');
      uint64_t end = 0;
      if (dash == range.npos ||
          !absl::SimpleAtoi(base::ToAbsl(range.substr(dash + 1)), &end)) {
        return std::optional<uint64_t>(0);
      }
      return std::optional<uint64_t>(end + 1);
    }
    last = StatusOf(*reply);
    if (!IsTransient(*reply)) return last;
  }
  return last;
}

absl::Status StorageClient::Download(const ObjectInfo& object,
                                     const BodyWriter& writer,
                                     const Progress& progress) {
  if (object.size == 0) return absl::OkStatus();
  HttpRequest request;
  ASSIGN_OR_RETURN(
      request.url,
      ParseUrl(base::StrCat(ObjectUrl(object.bucket, object.name),
                            "?alt=media&generation=", object.generation)));
  uint64_t offset = 0;
  uint32_t crc = 0;
  int idle = 0;
  while (offset < object.size) {
    const uint64_t before = offset;
    request.headers.clear();
    if (offset > 0) {
      request.headers.emplace_back("Range",
                                   base::StrCat("bytes=", offset, "-"));
    }
    absl::Status written;
    const absl::StatusOr<HttpReply> reply =
        options_.api->Send(request, [&](std::string_view bytes) {
          crc = ExtendCrc32c(crc, bytes);
          offset += bytes.size();
          progress(static_cast<int64_t>(bytes.size()));
          written = writer(bytes);
          return written;
        });
    RETURN_IF_ERROR(written);
    if (reply.ok() && reply->status / 100 != 2 && !IsTransient(*reply)) {
      return StatusOf(*reply);
    }
    if (!reply.ok() && !MayGoOn(reply.status())) return reply.status();
    if (offset >= object.size) break;
    idle = offset > before ? 0 : idle + 1;
    if (idle >= kAttempts) {
      return reply.ok() ? StatusOf(*reply) : reply.status();
    }
    options_.api->Sleep(GoogleApi::DelayBefore(idle + 1));
  }
  if (offset != object.size ||
      (!object.crc32c.empty() && object.crc32c != Crc32cText(crc))) {
    return Differs("download", object);
  }
  return absl::OkStatus();
}

absl::StatusOr<ObjectInfo> StorageClient::Copy(const ObjectInfo& from,
                                               std::string_view bucket,
                                               std::string_view name) {
  const std::string url = base::StrCat(
      ObjectUrl(from.bucket, from.name), "/rewriteTo/b/",
      base::PercentEncode(bucket), "/o/", base::PercentEncode(name),
      "?sourceGeneration=", from.generation);
  std::string token;
  while (true) {
    ASSIGN_OR_RETURN(
        const json::value reply,
        options_.api->Call(
            "POST", token.empty() ? url
                                  : base::StrCat(url, "&rewriteToken=",
                                                 base::PercentEncode(token))));
    if (FlagField(reply, "done")) {
      const json::value* resource = Field(reply, "resource");
      if (resource == nullptr) {
        return absl::InternalError("copy object: the reply names no object");
      }
      return InfoOf(*resource);
    }
    token = TextField(reply, "rewriteToken");
  }
}

}  // namespace brume::client
