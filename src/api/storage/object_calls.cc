#include "api/storage/calls.h"
#include "api/storage/errors.h"
#include "api/storage/message_json.h"
#include "api/storage/resources.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/access.h"
#include "services/storage/storage_errors.h"

#include <boost/json/array.hpp>
#include <google/protobuf/util/time_util.h>

#include <array>
#include <utility>

namespace brume::api::storage {
namespace {

namespace json = boost::json;
using brume::storage::Conditions;
using brume::storage::Object;
using services::storage::Acl;
using services::storage::Invalid;
using services::storage::ListReply;
using services::storage::ListRequest;
using services::storage::ObjectStore;
using services::storage::Required;

// Fields that a change cannot reach: clients send whole resources back.
constexpr std::array<std::string_view, 18> kOutputOnly = {
    "name",           "bucket",        "generation",
    "metageneration", "size",          "md5Hash",
    "crc32c",         "timeCreated",   "updated",
    "timeDeleted",    "timeFinalized", "timeStorageClassUpdated",
    "componentCount", "owner",         "retentionExpirationTime",
    "kmsKeyName",     "storageClass",  "customerEncryption"};

absl::StatusOr<Response> List(const Services& services,
                              const Request& request) {
  ListRequest list;
  list.bucket = request.route.bucket;
  list.prefix = request.Text("prefix");
  list.delimiter = request.Text("delimiter");
  list.start_offset = request.Text("startOffset");
  list.end_offset = request.Text("endOffset");
  list.page_token = request.Text("pageToken");
  list.match_glob = request.Text("matchGlob");
  list.versions = request.Flag("versions");
  list.include_trailing_delimiter = request.Flag("includeTrailingDelimiter");
  ASSIGN_OR_RETURN(list.max_results, request.MaxResults());
  ListReply page;
  // Nothing is kept once it is deleted; the bucket must be there all the same.
  if (request.Flag("softDeleted")) list.max_results = 1;
  ASSIGN_OR_RETURN(page, services.objects->List(list));
  if (request.Flag("softDeleted")) page = {};
  const Links links(request.head);
  const bool full = request.FullProjection(false);
  std::optional<brume::storage::BucketRecord> bucket;
  if (full) {
    ASSIGN_OR_RETURN(bucket, services.buckets->Get(list.bucket, {}));
  }
  JsonText out = request.Json();
  out.BeginObject();
  if (out.Key("kind")) out.String("storage#objects");
  if (!page.next_page_token.empty() && out.Key("nextPageToken")) {
    out.String(page.next_page_token);
  }
  if (!page.prefixes.empty() && out.Key("prefixes")) {
    out.BeginArray();
    for (const std::string& prefix : page.prefixes) {
      out.Element();
      out.String(prefix);
    }
    out.EndArray();
  }
  if (!page.items.empty() && out.Key("items")) {
    out.BeginArray();
    for (const Object& object : page.items) {
      Acl acl;
      ObjectView view{.hide_checksums = object.has_customer_encryption()};
      if (bucket && !services::storage::IsUniform(bucket->bucket())) {
        acl = services::storage::ObjectAcl(bucket->bucket(), object);
        view.acl = &acl;
      }
      out.Element();
      WriteObject(links, object, view, out);
    }
    out.EndArray();
  }
  out.EndObject();
  return Reply(200, out.Take());
}

absl::Status CheckCustomTime(const Object& before, const Object& after) {
  if (!before.has_custom_time()) return absl::OkStatus();
  if (after.has_custom_time() && after.custom_time() >= before.custom_time()) {
    return absl::OkStatus();
  }
  return Invalid(
      "Custom time cannot be removed or set to an earlier date/time.");
}

absl::StatusOr<Response> Change(const Services& services,
                                const Request& request, const std::string& body,
                                bool replace) {
  ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
  ASSIGN_OR_RETURN(const int64_t generation, request.Generation());
  ASSIGN_OR_RETURN(const Conditions conditions, request.Conditions());
  const std::string predefined = request.Text("predefinedAcl");
  ASSIGN_OR_RETURN(const auto bucket,
                   services.buckets->Get(request.route.bucket, {}));
  ASSIGN_OR_RETURN(
      const Object object,
      services.objects->Update(
          request.route.bucket, request.route.object, generation, conditions,
          [&](Object& stored) -> absl::Status {
            const Object before = stored;
            if (replace) {
              for (const char* field :
                   {"content_type", "cache_control", "content_disposition",
                    "content_encoding", "content_language", "custom_time",
                    "temporary_hold", "event_based_hold", "retention",
                    "metadata", "contexts"}) {
                stored.GetReflection()->ClearField(
                    &stored, Object::descriptor()->FindFieldByName(field));
              }
            }
            RETURN_IF_ERROR(MergeFields(described, stored, kOutputOnly));
            RETURN_IF_ERROR(CheckCustomTime(before, stored));
            if (predefined.empty() && !described.contains("acl")) {
              return absl::OkStatus();
            }
            return services::storage::SetObjectAcl(bucket.bucket(), predefined,
                                                   stored);
          }));
  return ObjectReply(services, request, object, true);
}

// The destination's fields of a copy: what the body says, over the source's.
absl::Status Redescribe(const Request& request, const json::object& body,
                        Object& object) {
  // A map that is given is meant whole.
  if (body.contains("metadata")) object.clear_metadata();
  object.clear_kms_key_name();
  object.clear_customer_encryption();
  RETURN_IF_ERROR(DescribeObject(request, body, object));
  const std::string kms = request.Text("destinationKmsKeyName");
  if (!kms.empty()) object.set_kms_key_name(kms + "/cryptoKeyVersions/1");
  return absl::OkStatus();
}

absl::StatusOr<Object> Copy(const Services& services, const Request& request,
                            const std::string& body) {
  ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
  ASSIGN_OR_RETURN(const auto source_key,
                   CustomerKey(request.head.headers, "x-goog-copy-source-"));
  ObjectStore::CopyRequest copy;
  copy.source_bucket = request.route.bucket;
  copy.source_object = request.route.object;
  copy.bucket = request.route.to_bucket;
  copy.object = request.route.to_object;
  ASSIGN_OR_RETURN(copy.source_generation,
                   request.Generation("sourceGeneration"));
  ASSIGN_OR_RETURN(copy.source_conditions, request.Conditions("ifSource"));
  ASSIGN_OR_RETURN(copy.conditions, request.Conditions());
  copy.predefined_acl = request.Text("destinationPredefinedAcl");
  copy.change = [&](Object& object) {
    return Redescribe(request, described, object);
  };
  copy.source_check = [&](const Object& source) {
    return CheckCustomerKey(source, source_key);
  };
  return services.objects->Copy(copy);
}

absl::StatusOr<Response> Move(const Services& services,
                              const Request& request) {
  if (request.route.object == request.route.to_object) {
    return Invalid("The source and the destination are the same object.");
  }
  ObjectStore::CopyRequest move;
  move.source_bucket = move.bucket = request.route.bucket;
  move.source_object = request.route.object;
  move.object = request.route.to_object;
  move.move = true;
  ASSIGN_OR_RETURN(move.source_conditions, request.Conditions("ifSource"));
  ASSIGN_OR_RETURN(move.conditions, request.Conditions());
  ASSIGN_OR_RETURN(const Object object, services.objects->Copy(move));
  return ObjectReply(services, request, object);
}

absl::StatusOr<Response> Rewrite(const Services& services,
                                 const Request& request,
                                 const std::string& body) {
  ASSIGN_OR_RETURN(const Object object, Copy(services, request, body));
  JsonText out = request.Json();
  out.BeginObject();
  if (out.Key("kind")) out.String("storage#rewriteResponse");
  for (const char* name : {"totalBytesRewritten", "objectSize"}) {
    if (out.Key(name)) out.NumberText(object.size());
  }
  if (out.Key("done")) out.Bool(true);
  if (out.Key("resource")) {
    WriteObject(Links(request.head), object, {}, out);
  }
  out.EndObject();
  return Reply(200, out.Take());
}

absl::StatusOr<ObjectStore::ComposeRequest::Source> ComposeSource(
    const json::value& value) {
  ObjectStore::ComposeRequest::Source source;
  Object named;
  Conditions conditions;
  if (!value.is_object()) {
    return Invalid(
        "Invalid value for field 'sourceObjects': objects expected.");
  }
  const json::object& described = value.get_object();
  RETURN_IF_ERROR(MergeFields(described, named));
  if (const auto* more = described.if_contains("objectPreconditions");
      more != nullptr && more->is_object()) {
    json::object renamed;
    if (const auto* match =
            more->get_object().if_contains("ifGenerationMatch")) {
      renamed["generationMatch"] = *match;
    }
    RETURN_IF_ERROR(MergeFields(renamed, conditions));
  }
  if (named.name().empty()) return Required("Required");
  source.name = named.name();
  source.generation = named.generation();
  source.conditions = conditions;
  return source;
}

absl::StatusOr<Response> Compose(const Services& services,
                                 const Request& request,
                                 const std::string& body) {
  ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
  ASSIGN_OR_RETURN(const auto key, CustomerKey(request.head.headers));
  ObjectStore::ComposeRequest compose;
  json::object destination;
  if (const auto* given = described.if_contains("destination");
      given != nullptr && given->is_object()) {
    destination = given->get_object();
  }
  // gcloud sends the first source's: they say nothing of the whole.
  destination.erase("md5Hash");
  destination.erase("crc32c");
  RETURN_IF_ERROR(DescribeObject(request, destination, compose.object));
  compose.object.set_bucket(request.route.bucket);
  compose.object.set_name(request.route.object);
  const std::string kms = request.Text("kmsKeyName");
  if (!kms.empty())
    compose.object.set_kms_key_name(kms + "/cryptoKeyVersions/1");
  if (const auto* sources = described.if_contains("sourceObjects");
      sources != nullptr && sources->is_array()) {
    for (const json::value& source : sources->get_array()) {
      ASSIGN_OR_RETURN(auto one, ComposeSource(source));
      compose.sources.push_back(std::move(one));
    }
  }
  ASSIGN_OR_RETURN(compose.conditions, request.Conditions());
  compose.predefined_acl = request.Text("destinationPredefinedAcl");
  compose.source_check = [&](const Object& source) {
    return CheckCustomerKey(source, key);
  };
  ASSIGN_OR_RETURN(const Object object, services.objects->Compose(compose));
  return ObjectReply(services, request, object);
}

}  // namespace

absl::Status DescribeObject(const Request& request,
                            const boost::json::object& body, Object& object) {
  RETURN_IF_ERROR(MergeFields(
      body, object,
      {"bucket", "generation", "metageneration", "size", "timeCreated",
       "updated", "timeDeleted", "timeFinalized", "timeStorageClassUpdated",
       "componentCount", "owner", "retentionExpirationTime", "kmsKeyName",
       "customerEncryption", "acl"}));
  if (body.contains("acl")) {
    Object lists;
    RETURN_IF_ERROR(
        MergeFields(boost::json::object({{"acl", body.at("acl")}}), lists));
    *object.mutable_acl() = lists.acl();
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> key,
                   CustomerKey(request.head.headers));
  if (key) {
    object.mutable_customer_encryption()->set_encryption_algorithm("AES256");
    object.mutable_customer_encryption()->set_key_sha256(*key);
  }
  if (!request.call.principal.email.empty()) {
    object.mutable_owner()->set_entity(
        base::StrCat("user-", request.call.principal.email));
  } else {
    object.clear_owner();
  }
  return absl::OkStatus();
}

absl::StatusOr<Response> ObjectReply(const Services& services,
                                     const Request& request,
                                     const Object& object,
                                     bool full_by_default) {
  ObjectView view;
  Acl acl;
  if (request.FullProjection(full_by_default)) {
    absl::StatusOr<Acl> found = services.objects->GetAcl(object);
    if (found.ok()) {
      acl = *std::move(found);
      view.acl = &acl;
    } else if (!absl::IsInvalidArgument(found.status())) {
      return std::move(found).status();
    }
  }
  ASSIGN_OR_RETURN(const auto key, CustomerKey(request.head.headers));
  view.hide_checksums = object.has_customer_encryption() && !key;
  JsonText out = request.Json();
  WriteObject(Links(request.head), object, view, out);
  Response response = Reply(200, out.Take());
  response.headers.Add("ETag", ObjectEtag(object));
  return response;
}

absl::StatusOr<Response> ObjectCall(const Services& services,
                                    const Request& request,
                                    const std::string& body) {
  const Route& route = request.route;
  switch (route.method) {
    case Method::kObjectsList:
      return List(services, request);
    case Method::kObjectsGet: {
      ASSIGN_OR_RETURN(const int64_t generation, request.Generation());
      ASSIGN_OR_RETURN(const Conditions conditions, request.Conditions());
      ASSIGN_OR_RETURN(const Object object,
                       services.objects->Get(route.bucket, route.object,
                                             generation, conditions));
      ASSIGN_OR_RETURN(const auto key, CustomerKey(request.head.headers));
      if (key) RETURN_IF_ERROR(CheckCustomerKey(object, key));
      return ObjectReply(services, request, object);
    }
    case Method::kObjectsPatch:
      return Change(services, request, body, false);
    case Method::kObjectsUpdate:
      return Change(services, request, body, true);
    case Method::kObjectsDelete: {
      ASSIGN_OR_RETURN(const int64_t generation, request.Generation());
      ASSIGN_OR_RETURN(const Conditions conditions, request.Conditions());
      RETURN_IF_ERROR(services.objects->Delete(route.bucket, route.object,
                                               generation, conditions));
      return EmptyReply(204);
    }
    case Method::kObjectsCompose:
      return Compose(services, request, body);
    case Method::kObjectsCopy: {
      ASSIGN_OR_RETURN(const Object object, Copy(services, request, body));
      return ObjectReply(services, request, object);
    }
    case Method::kObjectsRewrite:
      return Rewrite(services, request, body);
    case Method::kObjectsMove:
      return Move(services, request);
    default:
      return NotFoundPath();
  }
}

}  // namespace brume::api::storage
