#include "api/storage/storage_json.h"

#include "api/query_string.h"
#include "api/storage/batch.h"
#include "api/storage/downloads.h"
#include "api/storage/errors.h"
#include "api/storage/uploads.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <memory>
#include <optional>
#include <utility>

namespace brume::api::storage {
namespace {

constexpr std::string_view kService = "storage.googleapis.com";
// Descriptions of buckets and policies, with room to spare.
constexpr size_t kMostJson = 4 << 20;
constexpr size_t kMostBatch = 32 << 20;

bool IsStorageHost(std::string_view host) {
  return host == kService || host == "storage.mtls.googleapis.com" ||
         host.ends_with(".storage.googleapis.com");
}

bool HasBody(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

Response Dispatch(const Services& services, const Request& request,
                  const std::string& body) {
  absl::StatusOr<Response> reply = NotFoundPath();
  switch (request.route.method) {
    case Method::kBucketAcl:
    case Method::kDefaultObjectAcl:
    case Method::kObjectAcl:
    case Method::kBucketsGetIamPolicy:
    case Method::kBucketsSetIamPolicy:
    case Method::kBucketsTestIamPermissions:
    case Method::kObjectsGetIamPolicy:
    case Method::kObjectsSetIamPolicy:
    case Method::kObjectsTestIamPermissions:
      reply = AccessCall(services, request, body);
      break;
    default:
      reply = request.route.object.empty() &&
                      request.route.method != Method::kObjectsList
                  ? BucketCall(services, request, body)
                  : ObjectCall(services, request, body);
  }
  return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
}

bool IsMedia(const Request& request) {
  return request.route.method == Method::kObjectsGet &&
         (request.route.download || request.Param("alt") == "media");
}

}  // namespace

bool StorageJson::Owns(const RequestHead& head) const {
  const std::string_view path = PathOf(head.target);
  if (IsStorageHost(head.host)) return true;
  if (head.host == "www.googleapis.com") return IsJsonPath(path, false);
  return head.host.empty() && IsJsonPath(path, true);
}

absl::StatusOr<Request> StorageJson::Admit(RequestHead head,
                                           Route route) const {
  Request request;
  request.route = std::move(route);
  std::optional<QueryString> query = QueryString::Parse(head.target);
  if (!query) {
    return services::storage::Invalid("Invalid percent-encoding in the query.");
  }
  request.query = *std::move(query);
  absl::StatusOr<FieldSelector> fields =
      FieldSelector::Parse(request.Text("fields"));
  if (!fields.ok()) {
    return services::storage::BadRequest(
        "invalidParameter", base::ToStd(fields.status().message()));
  }
  request.fields = *std::move(fields);

  const Route& of = request.route;
  Admission::Subject subject;
  subject.method = std::string(of.name);
  subject.service = std::string(kService);
  if (!of.permission.empty()) {
    subject.permissions.emplace_back(of.permission);
  }
  if (!of.bucket.empty()) {
    std::string resource = base::StrCat("projects/_/buckets/", of.bucket);
    if (!of.object.empty()) base::StrAppend(&resource, "/objects/", of.object);
    subject.resources.push_back(std::move(resource));
    ASSIGN_OR_RETURN(const std::optional<std::string> project,
                     options_.services.buckets->ProjectOf(of.bucket));
    subject.project = project.value_or("");
  } else {
    subject.project = of.project.empty() ? request.Text("project") : of.project;
    const bool direct = head.host.empty();
    if (subject.project == "<none>" || subject.project == "_" ||
        (subject.project.empty() && direct)) {
      subject.project = options_.default_project;
    }
    subject.resources.push_back(base::StrCat("projects/", subject.project));
  }
  subject.project_may_be_unknown = true;
  subject.anonymous_allowed = true;
  ASSIGN_OR_RETURN(request.call, options_.admission->Admit(
                                     head.headers, head.host, head.base_url,
                                     head.origin, subject));
  request.head = std::move(head);
  return request;
}

Begun StorageJson::Begin(RequestHead head) {
  const std::string_view path = PathOf(head.target);
  if (!IsJsonPath(path, head.host.empty())) return XmlRefusal(path);
  absl::StatusOr<Route> route = FindRoute(head);
  if (!route.ok()) return ErrorReply(route.status());
  if (route->method == Method::kBatch) return BeginBatch(std::move(head));
  const bool upload = route->method == Method::kObjectsInsert;
  absl::StatusOr<Request> request = Admit(std::move(head), *std::move(route));
  if (!request.ok()) return ErrorReply(request.status());
  if (upload) {
    return BeginUpload(options_.services, options_.blobs, *std::move(request));
  }
  if (IsMedia(*request)) return Download(options_.services, *request);
  if (!HasBody(request->head.method)) {
    return Dispatch(options_.services, *request, "");
  }
  auto shared = std::make_shared<Request>(*std::move(request));
  return BufferBody(
      kMostJson,
      [services = options_.services, shared](std::string body) -> Outcome {
        return Dispatch(services, *shared, body);
      });
}

Begun StorageJson::BeginBatch(RequestHead head) {
  // Each call is admitted by itself; a wrong token is told at once.
  auto shared = std::make_shared<RequestHead>(std::move(head));
  return BufferBody(kMostBatch, [this, shared](std::string body) -> Outcome {
    absl::StatusOr<std::vector<BatchPart>> parts =
        ParseBatch(shared->headers.Get("content-type").value_or(""), body);
    if (!parts.ok()) return ErrorReply(parts.status());
    return BatchReply(*parts, [&](const BatchPart& part) {
      return CallInBatch(*shared, part.head, part.body);
    });
  });
}

Response StorageJson::CallInBatch(const RequestHead& outer, RequestHead head,
                                  const std::string& body) {
  head.host = outer.host;
  head.base_url = outer.base_url;
  head.origin = outer.origin;
  if (const auto token = outer.headers.Get("authorization");
      token && !head.headers.Has("authorization")) {
    head.headers.Add("Authorization", std::string(*token));
  }
  if (!IsJsonPath(PathOf(head.target), true)) return ErrorReply(NotFoundPath());
  absl::StatusOr<Route> route = FindRoute(head);
  if (!route.ok()) return ErrorReply(route.status());
  if (route->method == Method::kBatch ||
      route->method == Method::kObjectsInsert) {
    return ErrorReply(services::storage::BadRequest(
        "badRequest", "Uploads and batches cannot be called in a batch."));
  }
  absl::StatusOr<Request> request = Admit(std::move(head), *std::move(route));
  if (!request.ok()) return ErrorReply(request.status());
  if (IsMedia(*request)) {
    return ErrorReply(services::storage::BadRequest(
        "badRequest", "Media cannot be downloaded in a batch."));
  }
  return Dispatch(options_.services, *request, body);
}

}  // namespace brume::api::storage
