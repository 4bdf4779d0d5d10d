#include "api/storage/resources.h"

#include "api/storage/message_json.h"
#include "base/encoding.h"
#include "base/str_cat.h"
#include "services/storage/etags.h"

namespace brume::api::storage {
namespace {

using brume::storage::AccessControl;
using brume::storage::Bucket;
using brume::storage::BucketRecord;
using brume::storage::Object;
using services::storage::EtagOf;

void Text(JsonText& out, std::string_view name, std::string_view value) {
  if (out.Key(name)) out.String(value);
}

void WriteAcl(const Links& links, const AclPlace& place,
              const services::storage::Acl& acl, JsonText& out) {
  out.BeginArray();
  for (const AccessControl& entry : acl) {
    out.Element();
    WriteAclEntry(links, place, entry, out);
  }
  out.EndArray();
}

}  // namespace

Links::Links(const RequestHead& head) {
  if (head.origin.via == Origin::Via::kDirect && head.host.empty()) {
    self = media = head.base_url;
    return;
  }
  self = "https://www.googleapis.com";
  media = "https://storage.googleapis.com";
}

std::string ObjectEtag(const Object& object) {
  return EtagOf(object.generation(), object.metageneration());
}

std::string BucketEtag(const Bucket& bucket) {
  return EtagOf(bucket.metageneration());
}

void WriteBucket(const Links& links, const BucketRecord& record, bool full,
                 JsonText& out) {
  const std::string& name = record.bucket().name();
  const std::string path = base::StrCat("/b/", name);
  out.BeginObject();
  Text(out, "kind", "storage#bucket");
  if (out.Key("selfLink")) {
    out.String(base::StrCat(links.self, "/storage/v1", path));
  }
  Text(out, "id", name);
  WriteFields(record.bucket(), out,
              {Bucket::kAclFieldNumber, Bucket::kDefaultObjectAclFieldNumber,
               full ? 0 : Bucket::kOwnerFieldNumber});
  const std::string etag = BucketEtag(record.bucket());
  if (full && record.bucket().acl_size() > 0 && out.Key("acl")) {
    WriteAcl(links,
             {.kind = "storage#bucketAccessControl",
              .path = path + "/acl",
              .id = name,
              .bucket = name,
              .etag = etag},
             record.bucket().acl(), out);
  }
  if (full && record.bucket().default_object_acl_size() > 0 &&
      out.Key("defaultObjectAcl")) {
    WriteAcl(links,
             {.kind = "storage#objectAccessControl",
              .path = path + "/defaultObjectAcl",
              .id = "",
              .bucket = "",
              .etag = etag},
             record.bucket().default_object_acl(), out);
  }
  Text(out, "etag", etag);
  out.EndObject();
}

void WriteObject(const Links& links, const Object& object,
                 const ObjectView& view, JsonText& out) {
  out.BeginObject();
  Text(out, "kind", "storage#object");
  if (out.Key("id")) {
    out.String(base::StrCat(object.bucket(), "/", object.name(), "/",
                            object.generation()));
  }
  const std::string path = base::StrCat("/b/", object.bucket(), "/o/",
                                        base::PercentEncode(object.name()));
  if (out.Key("selfLink")) {
    out.String(base::StrCat(links.self, "/storage/v1", path));
  }
  if (out.Key("mediaLink")) {
    out.String(base::StrCat(links.media, "/download/storage/v1", path,
                            "?generation=", object.generation(), "&alt=media"));
  }
  // What a view leaves out. Numbers may repeat: 0 is no field's.
  WriteFields(object, out,
              {Object::kAclFieldNumber,
               view.acl == nullptr ? Object::kOwnerFieldNumber : 0,
               view.hide_checksums ? Object::kMd5HashFieldNumber : 0,
               view.hide_checksums ? Object::kCrc32CFieldNumber : 0});
  const std::string etag = ObjectEtag(object);
  if (view.acl != nullptr && !view.acl->empty() && out.Key("acl")) {
    WriteAcl(links,
             {.kind = "storage#objectAccessControl",
              .path = path + "/acl",
              .id = base::StrCat(object.bucket(), "/", object.name(), "/",
                                 object.generation()),
              .bucket = object.bucket(),
              .object = &object,
              .etag = etag},
             *view.acl, out);
  }
  Text(out, "etag", etag);
  out.EndObject();
}

void WriteAclEntry(const Links& links, const AclPlace& place,
                   const AccessControl& entry, JsonText& out) {
  out.BeginObject();
  Text(out, "kind", place.kind);
  if (!place.id.empty()) {
    if (out.Key("id")) {
      out.String(base::StrCat(place.id, "/", entry.entity()));
    }
    if (out.Key("selfLink")) {
      out.String(base::StrCat(links.self, "/storage/v1", place.path, "/",
                              base::PercentEncode(entry.entity())));
    }
    Text(out, "bucket", place.bucket);
  }
  if (place.object != nullptr) {
    Text(out, "object", place.object->name());
    if (out.Key("generation")) out.NumberText(place.object->generation());
  }
  WriteFields(entry, out);
  Text(out, "etag", place.etag);
  out.EndObject();
}

void WritePolicy(const google::iam::v1::Policy& policy, std::string_view etag,
                 std::string_view resource, JsonText& out) {
  out.BeginObject();
  Text(out, "kind", "storage#policy");
  Text(out, "resourceId", resource);
  google::iam::v1::Policy shown = policy;
  if (shown.version() == 0) shown.set_version(1);
  WriteFields(shown, out);
  Text(out, "etag", etag);
  out.EndObject();
}

}  // namespace brume::api::storage
