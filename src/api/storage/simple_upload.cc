#include "api/storage/simple_upload.h"

#include "api/storage/errors.h"
#include "api/storage/message_json.h"
#include "api/storage/multipart.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/names.h"
#include "services/storage/payload.h"
#include "services/storage/storage_errors.h"

#include <optional>
#include <string>
#include <utility>

namespace brume::api::storage {
namespace {

namespace json = boost::json;
using brume::storage::Object;
using services::storage::BadRequest;
using services::storage::PayloadWriter;

constexpr size_t kMostMetadata = 1 << 20;

absl::StatusOr<Response> Store(const Services& services, const Request& request,
                               Object object, PayloadWriter& writer) {
  StateChecksums(request.head.headers, object);
  ASSIGN_OR_RETURN(const auto conditions, request.Conditions());
  ASSIGN_OR_RETURN(services::storage::Payload payload, writer.Finish());
  ASSIGN_OR_RETURN(const Object stored,
                   services.objects->Insert(
                       {.object = std::move(object),
                        .conditions = conditions,
                        .predefined_acl = request.Text("predefinedAcl")},
                       std::move(payload)));
  return ObjectReply(services, request, stored);
}

Response ReplyOf(absl::StatusOr<Response> reply) {
  return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
}

class MediaSink final : public BodySink {
 public:
  MediaSink(const Services& services, store::BlobStore* blobs, Request request,
            Object object)
      : services_(services),
        request_(std::move(request)),
        object_(std::move(object)),
        writer_(blobs) {}

  std::optional<Response> Write(std::string_view bytes) override {
    const absl::Status status = writer_.Append(bytes);
    if (!status.ok()) return ErrorReply(status);
    return std::nullopt;
  }
  Outcome Finish() override {
    return ReplyOf(Store(services_, request_, std::move(object_), writer_));
  }

 private:
  const Services services_;
  const Request request_;
  Object object_;
  PayloadWriter writer_;
};

class MultipartSink final : public BodySink {
 public:
  MultipartSink(const Services& services, store::BlobStore* blobs,
                Request request, std::string boundary)
      : services_(services),
        request_(std::move(request)),
        writer_(blobs),
        reader_(std::move(boundary),
                {.begin_part =
                     [this](const PartHeaders& headers) {
                       return BeginPart(headers);
                     },
                 .data = [this](std::string_view bytes) { return Data(bytes); },
                 .end_part = [this] { return EndPart(); }}) {}

  std::optional<Response> Write(std::string_view bytes) override {
    const absl::Status status = reader_.Write(bytes);
    if (!status.ok()) return ErrorReply(status);
    return std::nullopt;
  }

  Outcome Finish() override { return ReplyOf(Finished()); }

 private:
  absl::Status BeginPart(const PartHeaders& headers) {
    if (++part_ > 2) {
      return BadRequest("badContent",
                        "Multipart upload has more than two parts.");
    }
    const std::string_view encoding = headers.Get("content-transfer-encoding");
    if (!encoding.empty() && encoding != "binary" && encoding != "8bit" &&
        encoding != "7bit") {
      return BadRequest(
          "badContent",
          base::StrCat("Unsupported Content-Transfer-Encoding: ", encoding));
    }
    if (part_ == 2) content_type_ = std::string(headers.Get("content-type"));
    return absl::OkStatus();
  }

  absl::Status Data(std::string_view bytes) {
    if (part_ == 2) return writer_.Append(bytes);
    if (metadata_.size() + bytes.size() > kMostMetadata) {
      return BadRequest("uploadTooLarge",
                        "The metadata part of the upload is too large.");
    }
    metadata_.append(bytes);
    return absl::OkStatus();
  }

  absl::Status EndPart() {
    if (part_ != 1) return absl::OkStatus();
    // Before the bytes: bad metadata need no upload.
    ASSIGN_OR_RETURN(described_, ParseBody(metadata_));
    return UploadedObject(request_, described_, "").status();
  }

  absl::StatusOr<Response> Finished() {
    RETURN_IF_ERROR(reader_.Finish());
    if (part_ != 2) {
      return BadRequest("badContent",
                        "Multipart upload must have two parts: metadata and "
                        "media.");
    }
    ASSIGN_OR_RETURN(Object object,
                     UploadedObject(request_, described_, content_type_));
    return Store(services_, request_, std::move(object), writer_);
  }

  const Services services_;
  const Request request_;
  PayloadWriter writer_;
  int part_ = 0;
  std::string metadata_;
  json::object described_;
  std::string content_type_;
  MultipartReader reader_;
};

}  // namespace

void StateChecksums(const Headers& headers, Object& object) {
  for (std::string_view value : headers.GetAll("x-goog-hash")) {
    while (!value.empty()) {
      const size_t comma = value.find(',');
      std::string_view one = value.substr(0, comma);
      value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
      while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
      if (one.substr(0, 7) == "crc32c=") {
        object.set_crc32c(std::string(one.substr(7)));
      } else if (one.substr(0, 4) == "md5=") {
        object.set_md5_hash(std::string(one.substr(4)));
      }
    }
  }
  if (const auto md5 = headers.Get("content-md5")) {
    object.set_md5_hash(std::string(*md5));
  }
}

absl::StatusOr<Object> UploadedObject(const Request& request,
                                      const json::object& metadata,
                                      std::string_view content_type) {
  Object object;
  RETURN_IF_ERROR(DescribeObject(request, metadata, object));
  object.set_bucket(request.route.bucket);
  if (const auto name = request.Param("name")) {
    object.set_name(std::string(*name));
  }
  RETURN_IF_ERROR(services::storage::CheckObjectName(object.name()));
  if (!object.has_content_type() && !content_type.empty()) {
    object.set_content_type(std::string(content_type));
  }
  if (const auto encoding = request.Param("contentEncoding")) {
    object.set_content_encoding(std::string(*encoding));
  }
  const std::string kms = request.Text("kmsKeyName");
  if (!kms.empty()) object.set_kms_key_name(kms + "/cryptoKeyVersions/1");
  return object;
}

absl::StatusOr<std::unique_ptr<BodySink>> MediaUpload(const Services& services,
                                                      store::BlobStore* blobs,
                                                      Request request) {
  ASSIGN_OR_RETURN(
      Object object,
      UploadedObject(request, {},
                     request.head.headers.Get("content-type").value_or("")));
  return std::make_unique<MediaSink>(services, blobs, std::move(request),
                                     std::move(object));
}

absl::StatusOr<std::unique_ptr<BodySink>> MultipartUpload(
    const Services& services, store::BlobStore* blobs, Request request) {
  std::optional<std::string> boundary =
      BoundaryOf(request.head.headers.Get("content-type").value_or(""));
  if (!boundary) {
    return BadRequest("badContent",
                      "Multipart upload without a boundary in Content-Type.");
  }
  return std::make_unique<MultipartSink>(services, blobs, std::move(request),
                                         *std::move(boundary));
}

}  // namespace brume::api::storage
