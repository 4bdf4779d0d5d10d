#include "services/policy/policy.h"

#include "base/encoding.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/policy/syntax.h"
#include "store/kv/key.h"

#include <google/type/expr.pb.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace brume::services::policy {
namespace {

using google::iam::v1::Binding;
using google::iam::v1::Policy;
using google::iam::v1::SetIamPolicyRequest;

// Etag of a policy that was never set, as Google's services print it ("ACAB").
const char kNeverSet[] = {0x00, 0x20, 0x01};
constexpr size_t kMaxMembers = 1500;

std::string RowKey(std::string_view resource) {
  return store::Key("iam.policy").Add(resource).str();
}

std::string NeverSet() { return std::string(kNeverSet, sizeof(kNeverSet)); }

absl::StatusOr<Policy> Load(store::KvReader& reader,
                            std::string_view resource) {
  Policy policy;
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   reader.Get(RowKey(resource)));
  if (!row) {
    policy.set_etag(NeverSet());
  } else if (!policy.ParseFromString(*row)) {
    return absl::DataLossError("read policy: malformed");
  }
  return policy;
}

bool HasCondition(const Policy& policy) {
  return std::any_of(
      policy.bindings().begin(), policy.bindings().end(),
      [](const Binding& binding) { return binding.has_condition(); });
}

// One binding per role and condition, members sorted and once each; roles in
// order.
void Normalize(Policy& policy) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> merged;
  for (const Binding& binding : policy.bindings()) {
    auto& members =
        merged[{binding.role(), binding.has_condition()
                                    ? binding.condition().SerializeAsString()
                                    : std::string()}];
    members.insert(binding.members().begin(), binding.members().end());
  }
  policy.clear_bindings();
  for (const auto& [key, members] : merged) {
    if (members.empty()) continue;
    Binding& binding = *policy.add_bindings();
    binding.set_role(key.first);
    for (const std::string& member : members) binding.add_members(member);
    if (!key.second.empty()) {
      binding.mutable_condition()->ParseFromString(key.second);
    }
  }
  policy.set_version(HasCondition(policy) ? 3 : 1);
}

// 8 bytes as Google's etags are ("BwXhqDVCIgw="): a counter that no write
// repeats.
std::string NextEtag(std::string_view last, absl::Time now) {
  uint64_t count = static_cast<uint64_t>(absl::ToUnixMicros(now));
  if (last.size() == 8) {
    uint64_t before = 0;
    for (const char c : last.substr(1)) {
      before = before << 8 | static_cast<unsigned char>(c);
    }
    count = std::max(count, before + 1);
  }
  std::string etag(8, '\x07');
  for (size_t i = 7; i >= 1; --i) {
    etag[i] = static_cast<char>(count & 0xff);
    count >>= 8;
  }
  return etag;
}

absl::Status CheckVersion(const Policy& policy, const Policy& stored) {
  const int version = policy.version();
  if (version != 0 && version != 1 && version != 3) {
    return absl::InvalidArgumentError(
        base::StrCat("Policy version ", version, " is not supported."));
  }
  if (HasCondition(policy) && version != 3) {
    return absl::InvalidArgumentError(
        "Policies with conditional bindings must specify version 3. For more "
        "information, please refer to "
        "https://cloud.google.com/iam/docs/policies#versions.");
  }
  if (HasCondition(stored) && version != 3) {
    return absl::InvalidArgumentError(base::StrCat(
        "Specified policy version (", version,
        ") cannot be less than the existing policy version (3). For more "
        "information, please refer to "
        "https://cloud.google.com/iam/docs/policies#versions."));
  }
  return absl::OkStatus();
}

absl::Status CheckBindings(store::KvReader& reader, const Policy& policy,
                           const Rules& rules) {
  size_t members = 0;
  for (const Binding& binding : policy.bindings()) {
    RETURN_IF_ERROR(CheckRole(binding.role()));
    for (const std::string& member : binding.members()) {
      ++members;
      RETURN_IF_ERROR(CheckMember(member, rules.public_members));
      const std::optional<std::string> account = ServiceAccountOf(member);
      if (!account || !rules.account_exists) continue;
      ASSIGN_OR_RETURN(const bool exists,
                       rules.account_exists(reader, *account));
      if (!exists) {
        return absl::InvalidArgumentError(
            base::StrCat("Service account ", *account, " does not exist."));
      }
    }
    if (binding.has_condition() && binding.condition().expression().empty()) {
      return absl::InvalidArgumentError(
          "The condition expression must be set.");
    }
  }
  if (members > kMaxMembers) {
    return absl::InvalidArgumentError(base::StrCat(
        "The number of members in the policy (", members,
        ") is larger than the maximum allowed size ", kMaxMembers, "."));
  }
  return absl::OkStatus();
}

// update_mask says which parts are replaced; by default "bindings, etag".
absl::StatusOr<Policy> Masked(const SetIamPolicyRequest& request,
                              const Policy& stored) {
  Policy next = request.policy();
  if (request.update_mask().paths().empty()) {
    // Audit configuration stays unless it is named.
    *next.mutable_audit_configs() = stored.audit_configs();
    return next;
  }
  next = stored;
  next.set_version(request.policy().version());
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "bindings") {
      *next.mutable_bindings() = request.policy().bindings();
    } else if (path == "audit_configs" || path == "auditConfigs") {
      *next.mutable_audit_configs() = request.policy().audit_configs();
    } else if (path != "etag" && path != "version") {
      return absl::InvalidArgumentError(
          base::StrCat("Invalid update mask path: ", path));
    }
  }
  return next;
}

absl::Status Store(store::KvTransaction& txn, std::string_view resource,
                   Policy& policy, std::string_view last_etag, absl::Time now) {
  Normalize(policy);
  policy.set_etag(NextEtag(last_etag, now));
  return txn.Put(RowKey(resource), policy.SerializeAsString());
}

}  // namespace

absl::StatusOr<Policy> Read(store::KvReader& reader, std::string_view resource,
                            int requested_version) {
  if (requested_version != 0 && requested_version != 1 &&
      requested_version != 3) {
    return absl::InvalidArgumentError(base::StrCat(
        "Requested policy version ", requested_version, " is not supported."));
  }
  ASSIGN_OR_RETURN(Policy policy, Load(reader, resource));
  if (requested_version == 3 || !HasCondition(policy)) return policy;
  policy.set_version(1);
  for (Binding& binding : *policy.mutable_bindings()) {
    if (!binding.has_condition()) continue;
    binding.set_role(
        base::StrCat(binding.role(), "_withcond_",
                     ConditionMark(binding.condition().SerializeAsString())));
    binding.clear_condition();
  }
  return policy;
}

absl::StatusOr<Policy> Write(store::KvTransaction& txn,
                             std::string_view resource,
                             const SetIamPolicyRequest& request,
                             const Rules& rules, absl::Time now) {
  // Watched: two writers of one etag must not both win.
  RETURN_IF_ERROR(txn.GetForUpdate(RowKey(resource)).status());
  ASSIGN_OR_RETURN(const Policy stored, Load(txn, resource));
  const std::string& etag = request.policy().etag();
  if (!etag.empty() && etag != stored.etag()) {
    return absl::AbortedError(
        "There were concurrent policy changes. Please retry the whole "
        "read-modify-write with exponential backoff.");
  }
  RETURN_IF_ERROR(CheckVersion(request.policy(), stored));
  ASSIGN_OR_RETURN(Policy next, Masked(request, stored));
  RETURN_IF_ERROR(CheckBindings(txn, next, rules));
  RETURN_IF_ERROR(Store(txn, resource, next, stored.etag(), now));
  return next;
}

absl::Status Grant(store::KvTransaction& txn, std::string_view resource,
                   std::string_view role, std::string_view member,
                   absl::Time now) {
  RETURN_IF_ERROR(txn.GetForUpdate(RowKey(resource)).status());
  ASSIGN_OR_RETURN(Policy policy, Load(txn, resource));
  Binding& binding = *policy.add_bindings();
  binding.set_role(std::string(role));
  binding.add_members(std::string(member));
  const std::string last = policy.etag();
  return Store(txn, resource, policy, last, now);
}

absl::Status Forget(store::KvTransaction& txn, std::string_view resource) {
  return txn.Delete(RowKey(resource));
}

absl::StatusOr<google::iam::v1::TestIamPermissionsResponse> Test(
    const google::iam::v1::TestIamPermissionsRequest& request) {
  google::iam::v1::TestIamPermissionsResponse response;
  std::set<std::string> seen;
  for (const std::string& permission : request.permissions()) {
    if (!IsPermission(permission)) {
      return absl::InvalidArgumentError(base::StrCat(
          "Permission ", permission, " is not valid for this resource."));
    }
    if (seen.insert(permission).second) response.add_permissions(permission);
  }
  return response;
}

}  // namespace brume::services::policy
