#pragma once

#include "base/clock.h"
#include "store/kv/kv_store.h"

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/cloud/resourcemanager/v3/projects.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::services::resourcemanager {

// Projects: rows by id with an index by number. A row is the v3 resource, its
// name "projects/NUMBER". Thread-safe.
class ProjectStore {
 public:
  using Project = google::cloud::resourcemanager::v3::Project;

  // Who made a project, in member form ("user:E").
  struct Created {
    std::string id;
    std::string number;
    std::string creator;
  };
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    // What else comes with a new project, in its transaction: the services
    // enabled in it.
    std::function<absl::Status(store::KvTransaction&, const Created&)>
        on_create;
  };
  explicit ProjectStore(Options options) : options_(std::move(options)) {}

  // A new project, of which `creator` is owner. Its number has 12 digits.
  absl::StatusOr<Project> Create(store::KvTransaction& txn, Project project,
                                 std::string_view creator) const;
  // The project of that id, made if there is none.
  absl::StatusOr<Project> EnsureProject(std::string_view id,
                                        std::string_view creator);

  // By id or number, whatever its state; NOT_FOUND.
  absl::StatusOr<Project> Find(store::KvReader& reader,
                               std::string_view id_or_number) const;
  absl::StatusOr<Project> Get(std::string_view id_or_number) const;
  // As Find, and only an active one; its row is locked, so that it is still
  // active when the transaction commits.
  absl::StatusOr<Project> LockActive(store::KvTransaction& txn,
                                     std::string_view id_or_number) const;

  // Changes it in place; etag and update time follow.
  absl::StatusOr<Project> Update(
      store::KvTransaction& txn, std::string_view id_or_number,
      absl::FunctionRef<absl::Status(Project&)> change) const;

  // Those that `wanted` takes, by id, after `after`; at most `count`.
  absl::StatusOr<std::vector<Project>> List(
      absl::FunctionRef<absl::StatusOr<bool>(const Project&)> wanted,
      std::string_view after, size_t count) const;

 private:
  absl::StatusOr<std::string> IdOf(store::KvReader& reader,
                                   std::string_view id_or_number) const;

  const Options options_;
};

}  // namespace brume::services::resourcemanager
