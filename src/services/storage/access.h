#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <brume/storage/access.pb.h>
#include <brume/storage/bucket.pb.h>
#include <brume/storage/object.pb.h>
#include <google/iam/v1/policy.pb.h>

#include <cstdint>
#include <string>
#include <string_view>

// Access control lists, and what stands in a new bucket's. Source: Cloud
// Storage's documentation of predefined ACLs and of IAM roles for Storage.
namespace brume::services::storage {

using Acl = google::protobuf::RepeatedPtrField<brume::storage::AccessControl>;

// "authenticatedRead", "private", "projectPrivate", "publicRead",
// "publicReadWrite"; INVALID_ARGUMENT for another name.
absl::StatusOr<Acl> PredefinedBucketAcl(std::string_view name,
                                        uint64_t project_number);
// As above for objects ("bucketOwnerFullControl", "bucketOwnerRead" too, and no
// "publicReadWrite"). `owner` is an entity ("user-E"), or empty: none, as in a
// bucket's default object ACL.
absl::StatusOr<Acl> PredefinedObjectAcl(std::string_view name,
                                        uint64_t project_number,
                                        std::string_view owner);

// Fills in what follows from the entity (email, domain, team); refuses unknown
// forms and roles other than `OWNER`, `READER` and, on buckets, `WRITER`.
absl::Status CompleteEntry(brume::storage::AccessControl& entry,
                           bool on_bucket);

bool IsUniform(const brume::storage::Bucket& bucket);
// 400: ACLs are off in this bucket. `action` is "get", "insert", ...; `of` is
// "a bucket" or "an object".
absl::Status AclsAreOff(std::string_view action, std::string_view of);

// Gives a new object its list. An empty list at rest stands for the common
// case: "projectPrivate" with the object's owner.
absl::Status SetObjectAcl(const brume::storage::Bucket& bucket,
                          std::string_view predefined,
                          brume::storage::Object& object);
// The list in force.
Acl ObjectAcl(const brume::storage::Bucket& bucket,
              const brume::storage::Object& object);

// What a new bucket's IAM policy binds.
google::iam::v1::Policy DefaultPolicy(std::string_view project_id);

}  // namespace brume::services::storage
