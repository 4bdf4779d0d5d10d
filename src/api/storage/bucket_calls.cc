#include "api/storage/calls.h"
#include "api/storage/errors.h"
#include "api/storage/message_json.h"
#include "api/storage/resources.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/access.h"
#include "services/storage/storage_errors.h"

#include <absl/strings/numbers.h>

#include <utility>

namespace brume::api::storage {
namespace {

namespace json = boost::json;
using brume::storage::Bucket;
using brume::storage::BucketRecord;
using services::storage::BadRequest;
using services::storage::BucketStore;
using services::storage::Invalid;
using services::storage::Required;

Response BucketReply(const Request& request, const BucketRecord& record,
                     bool full_by_default) {
  JsonText out = request.Json();
  WriteBucket(Links(request.head), record,
              request.FullProjection(full_by_default), out);
  Response response = Reply(200, out.Take());
  response.headers.Add("ETag", BucketEtag(record.bucket()));
  return response;
}

absl::Status NeedProject(const Request& request) {
  if (!request.call.project_id.empty()) return absl::OkStatus();
  const std::string named = request.Text("project");
  if (named.empty()) return Required("Required parameter: project");
  return Invalid(base::StrCat("Unknown project id: ", named));
}

absl::StatusOr<Response> Insert(const Services& services,
                                const Request& request,
                                const std::string& body) {
  RETURN_IF_ERROR(NeedProject(request));
  ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
  BucketStore::InsertRequest insert;
  RETURN_IF_ERROR(MergeFields(described, insert.bucket));
  if (insert.bucket.name().empty()) return Required("Required");
  insert.project_id = request.call.project_id;
  (void)absl::SimpleAtoi(request.call.project_number, &insert.project_number);
  insert.predefined_acl = request.Text("predefinedAcl");
  insert.predefined_default_object_acl =
      request.Text("predefinedDefaultObjectAcl");
  insert.object_retention = request.Flag("enableObjectRetention");
  ASSIGN_OR_RETURN(const BucketRecord record,
                   services.buckets->Insert(std::move(insert)));
  return BucketReply(
      request, record,
      described.contains("acl") || described.contains("defaultObjectAcl"));
}

absl::StatusOr<Response> List(const Services& services,
                              const Request& request) {
  RETURN_IF_ERROR(NeedProject(request));
  ASSIGN_OR_RETURN(const size_t limit, request.MaxResults());
  ASSIGN_OR_RETURN(
      const BucketStore::Page page,
      services.buckets->List(request.call.project_id, request.Text("prefix"),
                             limit, request.Text("pageToken")));
  const Links links(request.head);
  const bool full = request.FullProjection(false);
  JsonText out = request.Json();
  out.BeginObject();
  if (out.Key("kind")) out.String("storage#buckets");
  if (!page.next_page_token.empty() && out.Key("nextPageToken")) {
    out.String(page.next_page_token);
  }
  if (!page.buckets.empty() && out.Key("items")) {
    out.BeginArray();
    for (const BucketRecord& record : page.buckets) {
      out.Element();
      WriteBucket(links, record, full, out);
    }
    out.EndArray();
  }
  out.EndObject();
  return Reply(200, out.Take());
}

// PATCH merges into what is there; PUT starts from nothing but the lists.
absl::StatusOr<Response> Change(const Services& services,
                                const Request& request, const std::string& body,
                                bool replace) {
  ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
  ASSIGN_OR_RETURN(const auto conditions, request.Conditions());
  const std::string predefined = request.Text("predefinedAcl");
  const std::string predefined_default =
      request.Text("predefinedDefaultObjectAcl");
  ASSIGN_OR_RETURN(
      const BucketRecord record,
      services.buckets->Update(
          request.route.bucket, conditions,
          [&](BucketRecord& stored) -> absl::Status {
            Bucket& bucket = *stored.mutable_bucket();
            if (replace) {
              Bucket fresh;
              *fresh.mutable_acl() = bucket.acl();
              *fresh.mutable_default_object_acl() = bucket.default_object_acl();
              fresh.set_storage_class(bucket.storage_class());
              fresh.set_metageneration(bucket.metageneration());
              fresh.set_project_number(bucket.project_number());
              if (bucket.has_custom_placement_config()) {
                *fresh.mutable_custom_placement_config() =
                    bucket.custom_placement_config();
              }
              bucket = std::move(fresh);
            }
            RETURN_IF_ERROR(MergeFields(
                described, bucket,
                {"name", "projectNumber", "generation", "metageneration",
                 "location", "locationType", "timeCreated", "updated", "owner",
                 "hierarchicalNamespace", "customPlacementConfig",
                 "objectRetention"}));
            if (!predefined.empty()) {
              ASSIGN_OR_RETURN(*bucket.mutable_acl(),
                               services::storage::PredefinedBucketAcl(
                                   predefined, bucket.project_number()));
            }
            if (!predefined_default.empty()) {
              ASSIGN_OR_RETURN(
                  *bucket.mutable_default_object_acl(),
                  services::storage::PredefinedObjectAcl(
                      predefined_default, bucket.project_number(), ""));
            }
            return absl::OkStatus();
          }));
  return BucketReply(request, record, true);
}

absl::StatusOr<Response> Lock(const Services& services,
                              const Request& request) {
  ASSIGN_OR_RETURN(const auto conditions, request.Conditions());
  if (!conditions.has_metageneration_match()) {
    return Required("Required parameter: ifMetagenerationMatch");
  }
  ASSIGN_OR_RETURN(
      const BucketRecord record,
      services.buckets->Update(
          request.route.bucket, conditions,
          [](BucketRecord& stored) -> absl::Status {
            if (!stored.bucket().has_retention_policy()) {
              return Invalid("The bucket has no retention policy to lock.");
            }
            stored.mutable_bucket()->mutable_retention_policy()->set_is_locked(
                true);
            return absl::OkStatus();
          }));
  return BucketReply(request, record, true);
}

absl::StatusOr<Response> Layout(const Services& services,
                                const Request& request) {
  ASSIGN_OR_RETURN(const BucketRecord record,
                   services.buckets->Get(request.route.bucket, {}));
  const Bucket& bucket = record.bucket();
  JsonText out = request.Json();
  out.BeginObject();
  if (out.Key("kind")) out.String("storage#storageLayout");
  if (out.Key("bucket")) out.String(bucket.name());
  if (out.Key("location")) out.String(bucket.location());
  if (out.Key("locationType")) out.String(bucket.location_type());
  if (bucket.has_custom_placement_config() &&
      out.Key("customPlacementConfig")) {
    out.BeginObject();
    WriteFields(bucket.custom_placement_config(), out);
    out.EndObject();
  }
  if (out.Key("hierarchicalNamespace")) {
    out.BeginObject();
    if (out.Key("enabled")) {
      out.Bool(bucket.hierarchical_namespace().enabled());
    }
    out.EndObject();
  }
  out.EndObject();
  return Reply(200, out.Take());
}

// Lists of what this bucket cannot have.
absl::StatusOr<Response> Empty(const Services& services,
                               const Request& request) {
  if (!request.route.bucket.empty()) {
    RETURN_IF_ERROR(services.buckets->Get(request.route.bucket, {}).status());
  }
  if (request.route.method == Method::kNoSuchItem) return NotFoundPath();
  JsonText out = request.Json();
  out.BeginObject();
  if (out.Key("kind")) out.String(request.route.kind);
  if (out.Key("items")) {
    out.BeginArray();
    out.EndArray();
  }
  out.EndObject();
  return Reply(200, out.Take());
}

absl::StatusOr<Response> ServiceAccount(const Request& request) {
  RETURN_IF_ERROR(NeedProject(request));
  JsonText out = request.Json();
  out.BeginObject();
  if (out.Key("kind")) out.String("storage#serviceAccount");
  if (out.Key("email_address")) {
    out.String(base::StrCat("service-", request.call.project_number,
                            "@gs-project-accounts.iam.gserviceaccount.com"));
  }
  out.EndObject();
  return Reply(200, out.Take());
}

}  // namespace

absl::StatusOr<Response> BucketCall(const Services& services,
                                    const Request& request,
                                    const std::string& body) {
  switch (request.route.method) {
    case Method::kBucketsInsert:
      return Insert(services, request, body);
    case Method::kBucketsList:
      return List(services, request);
    case Method::kBucketsGet: {
      ASSIGN_OR_RETURN(const auto conditions, request.Conditions());
      ASSIGN_OR_RETURN(const BucketRecord record,
                       services.buckets->Get(request.route.bucket, conditions));
      return BucketReply(request, record, false);
    }
    case Method::kBucketsPatch:
      return Change(services, request, body, false);
    case Method::kBucketsUpdate:
      return Change(services, request, body, true);
    case Method::kBucketsDelete: {
      ASSIGN_OR_RETURN(const auto conditions, request.Conditions());
      RETURN_IF_ERROR(
          services.buckets->Delete(request.route.bucket, conditions));
      return EmptyReply(204);
    }
    case Method::kBucketsLockRetentionPolicy:
      return Lock(services, request);
    case Method::kBucketsGetStorageLayout:
      return Layout(services, request);
    case Method::kEmptyList:
    case Method::kNoSuchItem:
      return Empty(services, request);
    case Method::kServiceAccountGet:
      return ServiceAccount(request);
    default:
      return NotFoundPath();
  }
}

}  // namespace brume::api::storage
