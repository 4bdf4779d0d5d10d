#include "api/storage/calls.h"
#include "api/storage/errors.h"
#include "api/storage/message_json.h"
#include "api/storage/resources.h"
#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/storage/access.h"
#include "services/storage/etags.h"
#include "services/storage/storage_errors.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

namespace brume::api::storage {
namespace {

namespace json = boost::json;
using brume::storage::AccessControl;
using brume::storage::BucketRecord;
using brume::storage::Conditions;
using brume::storage::Object;
using google::iam::v1::Policy;
using services::storage::Acl;
using services::storage::Invalid;

absl::Status NoSuchEntity() {
  return services::WithReason(
      absl::NotFoundError("The specified ACL entry was not found."), "notFound",
      "global");
}

int Find(const Acl& acl, std::string_view entity) {
  for (int i = 0; i < acl.size(); ++i) {
    if (acl[i].entity() == entity) return i;
  }
  return -1;
}

// What the request does to a list; the entry it is about afterwards.
absl::Status Change(const Request& request, const json::object& body, Acl& acl,
                    AccessControl& result) {
  const std::string& verb = request.head.method;
  AccessControl entry;
  if (verb != "DELETE") {
    RETURN_IF_ERROR(MergeFields(body, entry));
  }
  if (verb == "POST") {
    if (entry.entity().empty()) return services::storage::Required("Required");
    const int at = Find(acl, entry.entity());
    if (at < 0) {
      *acl.Add() = entry;
    } else {
      acl[at] = entry;
    }
    result = entry;
    return absl::OkStatus();
  }
  const int at = Find(acl, request.route.entity);
  if (at < 0) return NoSuchEntity();
  if (verb == "DELETE") {
    acl.DeleteSubrange(at, 1);
    return absl::OkStatus();
  }
  if (!entry.role().empty()) acl[at].set_role(entry.role());
  result = acl[at];
  return absl::OkStatus();
}

Response Show(const Request& request, const Acl& acl, const AclPlace& place) {
  const Links links(request.head);
  const std::string& verb = request.head.method;
  if (verb == "DELETE") return EmptyReply(204);
  JsonText out = request.Json();
  if (verb == "GET" && request.route.entity.empty()) {
    out.BeginObject();
    if (out.Key("kind")) out.String(base::StrCat(place.kind, "s"));
    if (!acl.empty() && out.Key("items")) {
      out.BeginArray();
      for (const AccessControl& entry : acl) {
        out.Element();
        WriteAclEntry(links, place, entry, out);
      }
      out.EndArray();
    }
    out.EndObject();
  } else {
    WriteAclEntry(links, place, acl[0], out);
  }
  return Reply(200, out.Take());
}

// Of a list that is only read: all of it, or the one entry asked for.
absl::StatusOr<Acl> Selected(const Request& request, const Acl& acl) {
  if (request.route.entity.empty()) return acl;
  const int at = Find(acl, request.route.entity);
  if (at < 0) return NoSuchEntity();
  Acl one;
  *one.Add() = acl[at];
  return one;
}

absl::StatusOr<Response> BucketAclCall(const Services& services,
                                       const Request& request,
                                       const std::string& body) {
  const bool is_default = request.route.method == Method::kDefaultObjectAcl;
  const std::string& name = request.route.bucket;
  const auto list = [is_default](const BucketRecord& record) -> const Acl& {
    return is_default ? record.bucket().default_object_acl()
                      : record.bucket().acl();
  };
  ASSIGN_OR_RETURN(BucketRecord record, services.buckets->Get(name, {}));
  Acl shown;
  if (request.head.method == "GET") {
    if (services::storage::IsUniform(record.bucket())) {
      return services::storage::AclsAreOff("get", "a bucket");
    }
    ASSIGN_OR_RETURN(shown, Selected(request, list(record)));
  } else {
    ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
    AccessControl result;
    ASSIGN_OR_RETURN(
        record,
        services.buckets->Update(
            name, {}, [&](BucketRecord& stored) -> absl::Status {
              if (services::storage::IsUniform(stored.bucket())) {
                return services::storage::AclsAreOff("update", "a bucket");
              }
              brume::storage::Bucket& bucket = *stored.mutable_bucket();
              RETURN_IF_ERROR(Change(request, described,
                                     is_default
                                         ? *bucket.mutable_default_object_acl()
                                         : *bucket.mutable_acl(),
                                     result));
              return result.entity().empty() ? absl::OkStatus()
                                             : services::storage::CompleteEntry(
                                                   result, !is_default);
            }));
    *shown.Add() = result;
  }
  const std::string etag = BucketEtag(record.bucket());
  if (is_default) {
    return Show(request, shown,
                {.kind = "storage#objectAccessControl",
                 .path = base::StrCat("/b/", name, "/defaultObjectAcl"),
                 .etag = etag});
  }
  return Show(request, shown,
              {.kind = "storage#bucketAccessControl",
               .path = base::StrCat("/b/", name, "/acl"),
               .id = name,
               .bucket = name,
               .etag = etag});
}

absl::StatusOr<Response> ObjectAclCall(const Services& services,
                                       const Request& request,
                                       const std::string& body) {
  const std::string& bucket = request.route.bucket;
  const std::string& name = request.route.object;
  ASSIGN_OR_RETURN(const int64_t generation, request.Generation());
  Object object;
  Acl shown;
  if (request.head.method == "GET") {
    ASSIGN_OR_RETURN(object,
                     services.objects->Get(bucket, name, generation, {}));
    ASSIGN_OR_RETURN(const Acl acl, services.objects->GetAcl(object));
    ASSIGN_OR_RETURN(shown, Selected(request, acl));
  } else {
    ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
    AccessControl result;
    ASSIGN_OR_RETURN(
        object,
        services.objects->UpdateAcl(
            bucket, name, generation, {}, [&](Acl& acl) -> absl::Status {
              RETURN_IF_ERROR(Change(request, described, acl, result));
              return result.entity().empty()
                         ? absl::OkStatus()
                         : services::storage::CompleteEntry(result, false);
            }));
    *shown.Add() = result;
  }
  return Show(request, shown,
              {.kind = "storage#objectAccessControl",
               .path = base::StrCat("/b/", bucket, "/o/",
                                    base::PercentEncode(name), "/acl"),
               .id = base::StrCat(bucket, "/", name, "/", object.generation()),
               .bucket = bucket,
               .object = &object,
               .etag = ObjectEtag(object)});
}

absl::Status CheckMembers(const Policy& policy) {
  static constexpr std::array<std::string_view, 13> kKinds = {
      "user",
      "serviceAccount",
      "group",
      "domain",
      "projectOwner",
      "projectEditor",
      "projectViewer",
      "principal",
      "principalSet",
      "deleted",
      "principalHierarchy",
      "allUsers",
      "allAuthenticatedUsers"};
  for (const auto& binding : policy.bindings()) {
    if (binding.role().empty()) return Invalid("Role is required.");
    for (const std::string& member : binding.members()) {
      const std::string_view kind =
          std::string_view(member).substr(0, member.find(':'));
      if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
        return Invalid(base::StrCat("Invalid argument: member '", member,
                                    "' is of an unknown type."));
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Response> PolicyCall(const Services& services,
                                    const Request& request,
                                    const std::string& body) {
  const std::string& bucket = request.route.bucket;
  BucketRecord record;
  if (request.head.method == "GET") {
    ASSIGN_OR_RETURN(record, services.buckets->Get(bucket, {}));
  } else {
    ASSIGN_OR_RETURN(const json::object described, ParseBody(body));
    Policy policy;
    RETURN_IF_ERROR(MergeFields(described, policy));
    RETURN_IF_ERROR(CheckMembers(policy));
    std::optional<std::string> etag;
    const auto given = described.find("etag");
    if (given != described.end() && given->value().is_string() &&
        !given->value().get_string().empty()) {
      etag = std::string(given->value().get_string());
    }
    ASSIGN_OR_RETURN(record, services.buckets->SetPolicy(bucket, policy, etag));
  }
  JsonText out = request.Json();
  WritePolicy(record.policy(), services::storage::PolicyEtag(record),
              base::StrCat("projects/_/buckets/", bucket), out);
  return Reply(200, out.Take());
}

// Objects have no policy of their own: it follows from their list.
absl::StatusOr<Response> ObjectPolicyCall(const Services& services,
                                          const Request& request) {
  ASSIGN_OR_RETURN(const int64_t generation, request.Generation());
  ASSIGN_OR_RETURN(const Object object,
                   services.objects->Get(request.route.bucket,
                                         request.route.object, generation, {}));
  JsonText out = request.Json();
  WritePolicy(Policy(), ObjectEtag(object),
              base::StrCat("projects/_/buckets/", object.bucket(), "/objects/",
                           object.name()),
              out);
  return Reply(200, out.Take());
}

absl::StatusOr<Response> TestPermissions(const Services& services,
                                         const Request& request) {
  RETURN_IF_ERROR(services.buckets->Get(request.route.bucket, {}).status());
  JsonText out = request.Json();
  out.BeginObject();
  if (out.Key("kind")) out.String("storage#testIamPermissionsResponse");
  bool any = false;
  for (const auto& [name, value] : request.query.parameters()) {
    if (name != "permissions") continue;
    if (!any) {
      any = true;
      if (!out.Key("permissions")) break;
      out.BeginArray();
    }
    out.Element();
    out.String(value);
  }
  if (any && request.fields.Child("permissions") != nullptr) out.EndArray();
  out.EndObject();
  return Reply(200, out.Take());
}

}  // namespace

absl::StatusOr<Response> AccessCall(const Services& services,
                                    const Request& request,
                                    const std::string& body) {
  switch (request.route.method) {
    case Method::kBucketAcl:
    case Method::kDefaultObjectAcl:
      return BucketAclCall(services, request, body);
    case Method::kObjectAcl:
      return ObjectAclCall(services, request, body);
    case Method::kBucketsGetIamPolicy:
    case Method::kBucketsSetIamPolicy:
      return PolicyCall(services, request, body);
    case Method::kObjectsGetIamPolicy:
      return ObjectPolicyCall(services, request);
    case Method::kObjectsSetIamPolicy:
      return Invalid(
          "Object policies cannot be set: use the bucket's policy or the "
          "object's ACL.");
    case Method::kBucketsTestIamPermissions:
    case Method::kObjectsTestIamPermissions:
      return TestPermissions(services, request);
    default:
      return NotFoundPath();
  }
}

}  // namespace brume::api::storage
