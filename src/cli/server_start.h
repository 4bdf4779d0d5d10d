#pragma once

#include "app/control_client.h"
#include "cli/command.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace brume::cli {

// Starts a server in the background over `folder`, with the invocation's
// settings, and returns when it answers: its port. Its output goes to
// FOLDER/brume.log. An error is the server's own.
absl::StatusOr<int> StartInBackground(const Invocation& invocation,
                                      const std::string& folder);

// A connection to the server of `folder`; one is started when none is up.
absl::StatusOr<std::unique_ptr<app::ControlClient>> ConnectOrStart(
    const Invocation& invocation, const std::string& folder);

// For the server: tells whoever started it in the background how it went, over
// the descriptor that BRUME_READY_FD names. Does nothing without one.
void ReportStart(const config::Environment& environment,
                 const absl::Status& status, int port);

}  // namespace brume::cli
