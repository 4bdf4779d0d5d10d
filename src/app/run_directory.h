#pragma once

#include "api/wire.h"
#include "services/runs/run_registry.h"

#include <string_view>

namespace brume::app {

// The registry of runs as the front asks for it.
class RunDirectory final : public api::RunDirectory {
 public:
  explicit RunDirectory(const services::runs::RunRegistry* runs)
      : runs_(runs) {}

  absl::StatusOr<api::Run> Authenticate(std::string_view name,
                                        std::string_view token) override {
    auto run = runs_->Authenticate(name, token);
    if (!run.ok()) return std::move(run).status();
    return api::Run{run->name(), run->offline()};
  }

 private:
  const services::runs::RunRegistry* const runs_;
};

}  // namespace brume::app
