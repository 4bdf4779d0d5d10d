#pragma once

#include "services/iam/account_store.h"
#include "services/iam/key_store.h"
#include "store/kv/memory_kv_store.h"

// A store with one project, and what stands on it, for tests.
namespace brume::services::iam {

struct TestProject {
  static absl::StatusOr<Project> Lookup(std::string_view id_or_number) {
    if (id_or_number == "my-project" || id_or_number == "123456789012") {
      return Project{"my-project", "123456789012"};
    }
    return absl::PermissionDeniedError("no such project");
  }

  store::MemoryKvStore kv;
  base::ManualClock clock{absl::FromUnixSeconds(1'800'000'000)};
  AccountStore accounts{
      {.kv = &kv,
       .clock = &clock,
       .lock_project = [](store::KvTransaction&, std::string_view project) {
         return Lookup(project);
       }}};
  KeyStore keys{{.kv = &kv, .clock = &clock, .accounts = &accounts}};
};

}  // namespace brume::services::iam
