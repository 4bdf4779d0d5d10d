#pragma once

#include "base/clock.h"
#include "services/iam/names.h"
#include "store/kv/kv_store.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <brume/iam/account.pb.h>
#include <google/iam/admin/v1/iam.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace brume::services::iam {

// A project as IAM needs to know it.
struct Project {
  std::string id;
  std::string number;
};

// Service accounts: rows by e-mail, indices by project and by unique id. Every
// method returns when its effect is durable. Thread-safe.
class AccountStore {
 public:
  struct Options {
    store::KvStore* kv = nullptr;
    const base::Clock* clock = nullptr;
    // The project of an id or number, its row locked so that it is still there
    // when the transaction commits; the error for one that is not.
    std::function<absl::StatusOr<Project>(store::KvTransaction&,
                                          std::string_view id_or_number)>
        lock_project;
  };
  explicit AccountStore(Options options) : options_(std::move(options)) {}

  absl::StatusOr<brume::iam::AccountRecord> Create(
      std::string_view project, std::string_view account_id,
      const google::iam::admin::v1::ServiceAccount& what);
  // An account that an API makes: of any e-mail, none of the project's own
  // accounts if `google_managed`. Does nothing when it exists.
  absl::Status CreateManaged(store::KvTransaction& txn, const Project& project,
                             std::string_view email,
                             std::string_view display_name,
                             bool google_managed) const;

  // NOT_FOUND ("Unknown service account") when there is none, or none in the
  // project named. Google-managed ones are found by e-mail or id too.
  absl::StatusOr<brume::iam::AccountRecord> Get(const AccountName& name) const;
  absl::StatusOr<brume::iam::AccountRecord> Find(store::KvReader& reader,
                                                 const AccountName& name) const;

  // Whether an account of that e-mail exists, as far as can be told: e-mails
  // that no project here gives out (other clouds' agents) are taken to exist.
  absl::StatusOr<bool> Exists(store::KvReader& reader,
                              std::string_view email) const;

  // Those of a project, by e-mail, after `after`; at most `count`.
  absl::StatusOr<std::vector<brume::iam::AccountRecord>> List(
      std::string_view project_number, std::string_view after,
      size_t count) const;

  // Changes it in place. May run more than once.
  using Change =
      std::function<absl::Status(google::iam::admin::v1::ServiceAccount&)>;
  absl::StatusOr<brume::iam::AccountRecord> Update(const AccountName& name,
                                                   const Change& change);

  // It can be restored for 30 days.
  absl::Status Delete(const AccountName& name);
  // `name` has the unique id.
  absl::StatusOr<brume::iam::AccountRecord> Undelete(const AccountName& name);

  // As Find, its row locked: for who adds keys.
  absl::StatusOr<brume::iam::AccountRecord> Lock(store::KvTransaction& txn,
                                                 const AccountName& name) const;

 private:
  const Options options_;
};

}  // namespace brume::services::iam
