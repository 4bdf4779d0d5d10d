#include "services/storage/access.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/storage/storage_errors.h"

#include <google/protobuf/util/message_differencer.h>

namespace brume::services::storage {
namespace {

using brume::storage::AccessControl;
using brume::storage::Bucket;
using brume::storage::Object;

void Grant(Acl& acl, std::string_view entity, std::string_view role) {
  for (const AccessControl& entry : acl) {
    if (entry.entity() == entity) return;
  }
  AccessControl& entry = *acl.Add();
  entry.set_entity(std::string(entity));
  entry.set_role(std::string(role));
  // The entities of ours are well formed.
  (void)CompleteEntry(entry, true);
}

std::string Team(std::string_view team, uint64_t project_number) {
  return base::StrCat("project-", team, "-", project_number);
}

void GrantProject(Acl& acl, uint64_t project_number) {
  Grant(acl, Team("owners", project_number), "OWNER");
  Grant(acl, Team("editors", project_number), "OWNER");
  Grant(acl, Team("viewers", project_number), "READER");
}

absl::Status BadPredefined(std::string_view name) {
  return Invalid(base::StrCat("Invalid value '", name,
                              "'. Values must match the following regular "
                              "expression: 'authenticatedRead|"
                              "bucketOwnerFullControl|bucketOwnerRead|private|"
                              "projectPrivate|publicRead|publicReadWrite'"));
}

bool Same(const Acl& a, const Acl& b) {
  if (a.size() != b.size()) return false;
  for (int i = 0; i < a.size(); ++i) {
    if (!google::protobuf::util::MessageDifferencer::Equals(a[i], b[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<Acl> PredefinedBucketAcl(std::string_view name,
                                        uint64_t project_number) {
  Acl acl;
  if (name == "projectPrivate") {
    GrantProject(acl, project_number);
    return acl;
  }
  Grant(acl, Team("owners", project_number), "OWNER");
  if (name == "authenticatedRead") {
    Grant(acl, "allAuthenticatedUsers", "READER");
  } else if (name == "publicRead") {
    Grant(acl, "allUsers", "READER");
  } else if (name == "publicReadWrite") {
    Grant(acl, "allUsers", "WRITER");
  } else if (name != "private") {
    return BadPredefined(name);
  }
  return acl;
}

absl::StatusOr<Acl> PredefinedObjectAcl(std::string_view name,
                                        uint64_t project_number,
                                        std::string_view owner) {
  Acl acl;
  if (name == "projectPrivate") {
    GrantProject(acl, project_number);
    if (!owner.empty()) Grant(acl, owner, "OWNER");
    return acl;
  }
  if (!owner.empty()) Grant(acl, owner, "OWNER");
  if (name == "authenticatedRead") {
    Grant(acl, "allAuthenticatedUsers", "READER");
  } else if (name == "publicRead") {
    Grant(acl, "allUsers", "READER");
  } else if (name == "bucketOwnerFullControl") {
    Grant(acl, Team("owners", project_number), "OWNER");
  } else if (name == "bucketOwnerRead") {
    Grant(acl, Team("owners", project_number), "READER");
  } else if (name != "private") {
    return BadPredefined(name);
  }
  return acl;
}

absl::Status CompleteEntry(AccessControl& entry, bool on_bucket) {
  const std::string_view entity = entry.entity();
  const std::string_view role = entry.role();
  if (entity.empty() || role.empty()) return Required("Required");
  if (role != "OWNER" && role != "READER" && !(on_bucket && role == "WRITER")) {
    return Invalid(base::StrCat("Invalid value for role: ", role));
  }
  entry.clear_email();
  entry.clear_domain();
  entry.clear_project_team();
  if (entity == "allUsers" || entity == "allAuthenticatedUsers") {
    return absl::OkStatus();
  }
  const size_t dash = entity.find('-');
  const std::string_view kind = entity.substr(0, dash);
  if (dash == std::string_view::npos || dash + 1 == entity.size()) {
    return Invalid(base::StrCat("Unknown entity: ", entity));
  }
  const std::string_view rest = entity.substr(dash + 1);
  if (kind == "user" || kind == "group") {
    if (rest.find('@') != std::string_view::npos) {
      entry.set_email(std::string(rest));
    }
    return absl::OkStatus();
  }
  if (kind == "domain") {
    entry.set_domain(std::string(rest));
    return absl::OkStatus();
  }
  const size_t team_end = rest.find('-');
  const std::string_view team = rest.substr(0, team_end);
  if (kind == "project" && team_end != std::string_view::npos &&
      (team == "owners" || team == "editors" || team == "viewers")) {
    entry.mutable_project_team()->set_team(std::string(team));
    entry.mutable_project_team()->set_project_number(
        std::string(rest.substr(team_end + 1)));
    return absl::OkStatus();
  }
  return Invalid(base::StrCat("Unknown entity: ", entity));
}

bool IsUniform(const Bucket& bucket) {
  return bucket.iam_configuration().uniform_bucket_level_access().enabled();
}

absl::Status AclsAreOff(std::string_view action, std::string_view of) {
  return Invalid(base::StrCat(
      "Cannot ", action, " legacy ACL for ", of,
      " when uniform bucket-level access is enabled. Read more at "
      "https://cloud.google.com/storage/docs/uniform-bucket-level-access"));
}

absl::Status SetObjectAcl(const Bucket& bucket, std::string_view predefined,
                          Object& object) {
  if (IsUniform(bucket)) {
    if (!predefined.empty() || object.acl_size() > 0) {
      return AclsAreOff("insert", "an object");
    }
    return absl::OkStatus();
  }
  const std::string owner = object.owner().entity();
  if (!predefined.empty()) {
    ASSIGN_OR_RETURN(
        *object.mutable_acl(),
        PredefinedObjectAcl(predefined, bucket.project_number(), owner));
    return absl::OkStatus();
  }
  if (object.acl_size() > 0) {
    for (AccessControl& entry : *object.mutable_acl()) {
      RETURN_IF_ERROR(CompleteEntry(entry, false));
    }
    if (!owner.empty()) Grant(*object.mutable_acl(), owner, "OWNER");
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const Acl common,
      PredefinedObjectAcl("projectPrivate", bucket.project_number(), ""));
  if (Same(bucket.default_object_acl(), common)) return absl::OkStatus();
  *object.mutable_acl() = bucket.default_object_acl();
  if (!owner.empty()) Grant(*object.mutable_acl(), owner, "OWNER");
  return absl::OkStatus();
}

Acl ObjectAcl(const Bucket& bucket, const Object& object) {
  if (object.acl_size() > 0) return object.acl();
  return PredefinedObjectAcl("projectPrivate", bucket.project_number(),
                             object.owner().entity())
      .value_or(Acl());
}

google::iam::v1::Policy DefaultPolicy(std::string_view project_id) {
  google::iam::v1::Policy policy;
  policy.set_version(1);
  const auto bind = [&](std::string_view role,
                        std::initializer_list<std::string_view> kinds) {
    google::iam::v1::Binding& binding = *policy.add_bindings();
    binding.set_role(base::StrCat("roles/storage.", role));
    for (std::string_view kind : kinds) {
      binding.add_members(base::StrCat(kind, ":", project_id));
    }
  };
  bind("legacyBucketOwner", {"projectEditor", "projectOwner"});
  bind("legacyBucketReader", {"projectViewer"});
  bind("legacyObjectOwner", {"projectEditor", "projectOwner"});
  bind("legacyObjectReader", {"projectViewer"});
  return policy;
}

}  // namespace brume::services::storage
