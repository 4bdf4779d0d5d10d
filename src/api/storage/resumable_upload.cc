#include "api/storage/resumable_upload.h"

#include "api/storage/content_range.h"
#include "api/storage/errors.h"
#include "api/storage/message_json.h"
#include "api/storage/simple_upload.h"
#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace brume::api::storage {
namespace {

namespace json = boost::json;
using brume::storage::Object;
using brume::storage::UploadRecord;
using services::storage::BadRequest;
using services::storage::Invalid;
using services::storage::ResumableUploads;

// What a part that is not the last may be a multiple of.
constexpr uint64_t kGranule = 256 << 10;

std::string_view PathFamily(const Request& request) {
  const std::string_view path = PathOf(request.head.target);
  return path.substr(0, 11) == "/resumable/" ? "/resumable/upload/storage/v1"
                                             : "/upload/storage/v1";
}

// "Resume Incomplete": how much is durable.
Response Incomplete(std::string_view id, uint64_t received) {
  Response response = EmptyReply(308);
  if (received > 0) {
    response.headers.Add("Range", base::StrCat("bytes=0-", received - 1));
  }
  response.headers.Add("X-GUploader-UploadID", std::string(id));
  response.headers.Add("X-Range-MD5", "");
  return response;
}

// Parameters of the first request that shape the last reply.
void Restore(const UploadRecord& record, Request& request) {
  const auto& stored = record.reply_parameters();
  const auto fields = stored.find("fields");
  if (request.fields.everything() && fields != stored.end()) {
    absl::StatusOr<FieldSelector> parsed = FieldSelector::Parse(fields->second);
    if (parsed.ok()) request.fields = *std::move(parsed);
  }
}

// The reply to a session that is finished already.
absl::StatusOr<Response> Finished(const Services& services, Request request,
                                  const UploadRecord& record) {
  Restore(record, request);
  ASSIGN_OR_RETURN(
      const Object object,
      services.objects->Get(record.bucket(), record.object().name(),
                            record.finished_generation(), {}));
  return ObjectReply(services, request, object);
}

class PartSink final : public BodySink {
 public:
  // Skips `skip` bytes, which are durable already, then takes up to `limit`
  // more; `last`: with them the object is complete.
  struct Plan {
    uint64_t skip = 0;
    uint64_t limit = std::numeric_limits<uint64_t>::max();
    // Sizes that the client announced; the object must have them.
    std::optional<uint64_t> end;
    bool last = false;
  };

  PartSink(const Services& services, Request request,
           std::unique_ptr<ResumableUploads::Part> part, Plan plan)
      : services_(services),
        request_(std::move(request)),
        part_(std::move(part)),
        plan_(plan) {}

  std::optional<Response> Write(std::string_view bytes) override {
    const size_t skipped =
        static_cast<size_t>(std::min<uint64_t>(plan_.skip, bytes.size()));
    plan_.skip -= skipped;
    bytes.remove_prefix(skipped);
    const size_t taken =
        static_cast<size_t>(std::min<uint64_t>(plan_.limit, bytes.size()));
    plan_.limit -= taken;
    if (taken == 0) return std::nullopt;
    const absl::Status status = part_->Append(bytes.substr(0, taken));
    if (!status.ok()) return ErrorReply(status);
    return std::nullopt;
  }

  Outcome Finish() override {
    absl::StatusOr<Response> reply = Reply();
    return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
  }

 private:
  absl::StatusOr<Response> Reply() {
    const bool complete =
        plan_.last && (!plan_.end || part_->size() == *plan_.end);
    if (!complete) {
      ASSIGN_OR_RETURN(const uint64_t received, part_->Keep());
      return Incomplete(request_.Text("upload_id"), received);
    }
    Restore(part_->record(), request_);
    Object stated;
    StateChecksums(request_.head.headers, stated);
    part_->Expect(stated);
    ASSIGN_OR_RETURN(const Object object, part_->Finish());
    return ObjectReply(services_, request_, object);
  }

  const Services services_;
  Request request_;
  const std::unique_ptr<ResumableUploads::Part> part_;
  Plan plan_;
};

}  // namespace

absl::StatusOr<Response> StartResumable(const Services& services,
                                        const Request& request,
                                        const std::string& body) {
  ASSIGN_OR_RETURN(const json::object metadata, ParseBody(body));
  const Headers& headers = request.head.headers;
  UploadRecord record;
  record.set_bucket(request.route.bucket);
  ASSIGN_OR_RETURN(
      *record.mutable_object(),
      UploadedObject(request, metadata,
                     headers.Get("x-upload-content-type").value_or("")));
  ASSIGN_OR_RETURN(*record.mutable_conditions(), request.Conditions());
  record.set_predefined_acl(request.Text("predefinedAcl"));
  record.set_creator(request.call.principal.email);
  if (const auto length = headers.Get("x-upload-content-length")) {
    uint64_t total = 0;
    if (!absl::SimpleAtoi(base::ToAbsl(*length), &total)) {
      return Invalid("Invalid value for header 'X-Upload-Content-Length'.");
    }
    record.set_total(total);
  }
  const std::string fields = request.Text("fields");
  if (!fields.empty()) (*record.mutable_reply_parameters())["fields"] = fields;
  ASSIGN_OR_RETURN(const std::string id,
                   services.uploads->Begin(std::move(record)));
  Response response = EmptyReply(200);
  std::string location = base::StrCat(
      request.head.base_url, PathFamily(request), "/b/",
      base::PercentEncode(request.route.bucket), "/o?uploadType=resumable");
  for (const char* name : {"name", "projection", "prettyPrint"}) {
    const auto value = request.Param(name);
    if (!value) continue;
    location += base::StrCat("&", name, "=", base::PercentEncode(*value));
  }
  response.headers.Add("Location", base::StrCat(location, "&upload_id=", id));
  response.headers.Add("X-GUploader-UploadID", id);
  return response;
}

absl::StatusOr<Begun> ContinueResumable(const Services& services,
                                        Request request) {
  const std::string id = request.Text("upload_id");
  if (request.head.method == "DELETE") {
    RETURN_IF_ERROR(services.uploads->Cancel(id));
    return Begun(EmptyReply(499));
  }
  ASSIGN_OR_RETURN(const UploadRecord record, services.uploads->Get(id));
  if (record.bucket() != request.route.bucket) {
    return services::storage::NoSuchUpload();
  }
  if (record.finished_generation() != 0) {
    ASSIGN_OR_RETURN(Response reply,
                     Finished(services, std::move(request), record));
    return Begun(std::move(reply));
  }
  ContentRange range{.first = 0};
  if (const auto header = request.head.headers.Get("content-range")) {
    const std::optional<ContentRange> parsed = ParseContentRange(*header);
    if (!parsed) {
      return Invalid(
          base::StrCat("Failed to parse Content-Range header: ", *header));
    }
    range = *parsed;
  }
  if (range.total && record.has_total() && *range.total != record.total()) {
    return Invalid(base::StrCat(
        "Invalid request.  According to the Content-Range header, the upload "
        "has ",
        *range.total, " byte(s), but X-Upload-Content-Length announced ",
        record.total(), "."));
  }
  const std::optional<uint64_t> total =
      range.total
          ? range.total
          : (record.has_total() ? std::optional<uint64_t>(record.total())
                                : std::nullopt);
  if (!range.first) {
    // A question, unless it says that everything has been sent.
    if (!range.total || *range.total != record.received()) {
      return Begun(Incomplete(id, record.received()));
    }
    ASSIGN_OR_RETURN(auto part, services.uploads->Open(id));
    return Begun(std::unique_ptr<BodySink>(std::make_unique<PartSink>(
        services, std::move(request), std::move(part),
        PartSink::Plan{.limit = 0, .end = total, .last = true})));
  }
  if (*range.first > record.received()) {
    // Bytes in between are missing: the client must ask and go back.
    return Begun(Incomplete(id, record.received()));
  }
  ASSIGN_OR_RETURN(auto part, services.uploads->Open(id));
  PartSink::Plan plan;
  plan.skip = part->size() - *range.first;
  plan.end = total;
  if (range.last) {
    const uint64_t end = *range.last + 1;
    plan.last = total && end == *total;
    // Parts in the middle count in whole granules.
    const uint64_t wanted = plan.last ? end : end / kGranule * kGranule;
    plan.limit = wanted > part->size() ? wanted - part->size() : 0;
  } else {
    // The body's end is the object's.
    plan.last = true;
    if (total) plan.limit = *total - std::min(*total, part->size());
  }
  return Begun(std::unique_ptr<BodySink>(std::make_unique<PartSink>(
      services, std::move(request), std::move(part), plan)));
}

}  // namespace brume::api::storage
