#include "services/resourcemanager/project_store.h"

#include "base/encoding.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/policy/policy.h"
#include "services/resourcemanager/names.h"
#include "store/kv/key.h"

#include <google/protobuf/util/time_util.h>

#include <memory>
#include <optional>
#include <utility>

// Rows:
//   rm.project  id      Project (v3)
//   rm.number   number  id
namespace brume::services::resourcemanager {
namespace {

using google::cloud::resourcemanager::v3::Project;

std::string ProjectKey(std::string_view id) {
  return store::Key("rm.project").Add(id).str();
}
std::string NumberKey(std::string_view number) {
  return store::Key("rm.number").Add(number).str();
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
      absl::ToUnixMicros(time));
}

absl::StatusOr<Project> Parse(std::string_view row) {
  Project project;
  if (!project.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
    return absl::DataLossError("read project: malformed");
  }
  return project;
}

void Touch(Project& project, absl::Time now) {
  *project.mutable_update_time() = ToProto(now);
  project.set_etag(base::StrCat("W/\"", base::RandomHex(16), "\""));
}

bool StartsWithDigit(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

}  // namespace

absl::StatusOr<Project> ProjectStore::Create(store::KvTransaction& txn,
                                             Project project,
                                             std::string_view creator) const {
  ASSIGN_OR_RETURN(const auto taken,
                   txn.GetForUpdate(ProjectKey(project.project_id())));
  // Ids are never given out again, not even a deleted project's.
  if (taken) return absl::AlreadyExistsError("Requested entity already exists");
  const std::string number = base::RandomDigits(12);
  ASSIGN_OR_RETURN(const auto same, txn.GetForUpdate(NumberKey(number)));
  if (same) return absl::AbortedError("The project number is in use; retry.");

  const absl::Time now = options_.clock->Now();
  project.set_name(base::StrCat("projects/", number));
  project.set_state(Project::ACTIVE);
  if (project.display_name().empty()) {
    project.set_display_name(project.project_id());
  }
  *project.mutable_create_time() = ToProto(now);
  Touch(project, now);
  RETURN_IF_ERROR(txn.Put(NumberKey(number), project.project_id()));
  RETURN_IF_ERROR(
      txn.Put(ProjectKey(project.project_id()), project.SerializeAsString()));
  RETURN_IF_ERROR(
      policy::Grant(txn, project.name(), "roles/owner", creator, now));
  if (options_.on_create) {
    RETURN_IF_ERROR(options_.on_create(
        txn, {project.project_id(), number, std::string(creator)}));
  }
  return project;
}

absl::StatusOr<Project> ProjectStore::EnsureProject(std::string_view id,
                                                    std::string_view creator) {
  Project out;
  RETURN_IF_ERROR(
      options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
        absl::StatusOr<Project> found = Find(txn, id);
        if (absl::IsNotFound(found.status())) {
          Project wanted;
          wanted.set_project_id(std::string(id));
          found = Create(txn, std::move(wanted), creator);
        }
        RETURN_IF_ERROR(found.status());
        out = *std::move(found);
        return absl::OkStatus();
      }));
  return out;
}

absl::StatusOr<std::string> ProjectStore::IdOf(
    store::KvReader& reader, std::string_view id_or_number) const {
  // Ids begin with a letter.
  if (!StartsWithDigit(id_or_number)) return std::string(id_or_number);
  ASSIGN_OR_RETURN(std::optional<std::string> id,
                   reader.Get(NumberKey(id_or_number)));
  if (!id) return absl::NotFoundError("no such project");
  return *std::move(id);
}

absl::StatusOr<Project> ProjectStore::Find(
    store::KvReader& reader, std::string_view id_or_number) const {
  ASSIGN_OR_RETURN(const std::string id, IdOf(reader, id_or_number));
  ASSIGN_OR_RETURN(const auto row, reader.Get(ProjectKey(id)));
  if (!row) return absl::NotFoundError("no such project");
  return Parse(*row);
}

absl::StatusOr<Project> ProjectStore::Get(std::string_view id_or_number) const {
  return Find(*options_.kv->Snapshot(), id_or_number);
}

absl::StatusOr<Project> ProjectStore::LockActive(
    store::KvTransaction& txn, std::string_view id_or_number) const {
  ASSIGN_OR_RETURN(const std::string id, IdOf(txn, id_or_number));
  ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(ProjectKey(id)));
  if (!row) return absl::NotFoundError("no such project");
  ASSIGN_OR_RETURN(Project project, Parse(*row));
  if (project.state() != Project::ACTIVE) {
    return absl::NotFoundError("the project is deleted");
  }
  return project;
}

absl::StatusOr<Project> ProjectStore::Update(
    store::KvTransaction& txn, std::string_view id_or_number,
    absl::FunctionRef<absl::Status(Project&)> change) const {
  ASSIGN_OR_RETURN(const std::string id, IdOf(txn, id_or_number));
  ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(ProjectKey(id)));
  if (!row) return absl::NotFoundError("no such project");
  ASSIGN_OR_RETURN(Project project, Parse(*row));
  RETURN_IF_ERROR(change(project));
  Touch(project, options_.clock->Now());
  RETURN_IF_ERROR(txn.Put(ProjectKey(id), project.SerializeAsString()));
  return project;
}

absl::StatusOr<std::vector<Project>> ProjectStore::List(
    absl::FunctionRef<absl::StatusOr<bool>(const Project&)> wanted,
    std::string_view after, size_t count) const {
  store::KeyRange range =
      store::KeyRange::Prefix(store::Key("rm.project").str());
  if (!after.empty()) range.begin = ProjectKey(after) + '\0';
  std::vector<Project> out;
  absl::Status failed;
  RETURN_IF_ERROR(options_.kv->Snapshot()->Scan(
      range, [&](std::string_view, std::string_view value) {
        absl::StatusOr<Project> project = Parse(value);
        failed = project.status();
        if (!project.ok()) return false;
        const absl::StatusOr<bool> take = wanted(*project);
        failed = take.status();
        if (!take.ok()) return false;
        if (*take) out.push_back(*std::move(project));
        return out.size() < count;
      }));
  RETURN_IF_ERROR(failed);
  return out;
}

}  // namespace brume::services::resourcemanager
