#pragma once

#include "api/storage/json_text.h"
#include "api/storage/request.h"
#include "services/storage/access.h"

#include <brume/storage/bucket.pb.h>
#include <brume/storage/object.pb.h>

#include <optional>
#include <string>
#include <string_view>

// The resources of the JSON API as replies: what is stored and what follows
// from it (kind, id, links, etag).
namespace brume::api::storage {

// Where links of replies begin: the real hosts when the client thinks it
// talks to them, else how it reached us.
struct Links {
  explicit Links(const RequestHead& head);
  std::string self;   // "https://www.googleapis.com"
  std::string media;  // "https://storage.googleapis.com"
};

void WriteBucket(const Links& links, const brume::storage::BucketRecord& record,
                 bool full, JsonText& out);

struct ObjectView {
  // With `full` projection; nullptr: none.
  const services::storage::Acl* acl = nullptr;
  // Encrypted with a key that the request did not bring: no checksums.
  bool hide_checksums = false;
};
void WriteObject(const Links& links, const brume::storage::Object& object,
                 const ObjectView& view, JsonText& out);

// An entry of a list: of a bucket ("storage#bucketAccessControl"), its default
// ("storage#objectAccessControl" without object), or an object.
struct AclPlace {
  std::string_view kind;
  std::string path;  // below selfLink's /storage/v1: "/b/B/acl"
  std::string id;    // "B" or "B/O/G"
  std::string bucket;
  const brume::storage::Object* object = nullptr;
  std::string etag;
};
void WriteAclEntry(const Links& links, const AclPlace& place,
                   const brume::storage::AccessControl& entry, JsonText& out);

void WritePolicy(const google::iam::v1::Policy& policy, std::string_view etag,
                 std::string_view resource, JsonText& out);

std::string ObjectEtag(const brume::storage::Object& object);
std::string BucketEtag(const brume::storage::Bucket& bucket);

}  // namespace brume::api::storage
