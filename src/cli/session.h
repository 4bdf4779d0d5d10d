#pragma once

#include "app/control_client.h"
#include "cli/client_environment.h"
#include "cli/client_files.h"
#include "cli/command.h"
#include "runtime/sealed_namespace.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace brume::cli {

// What `brume run` and `brume env` have in common: a server (started when none
// is up), a run registered with it, the clients' files, the variables.
struct Session {
  // A command's run ends when this is closed.
  std::unique_ptr<app::ControlClient> server;
  std::string run;
  std::string data;
  ClientFiles files;
  EnvironmentChange environment;
  // The owner's, as application default credentials.
  std::string owner_adc;
  // With --sealed; its listeners are the server's.
  std::unique_ptr<runtime::SealedNamespace> network;
};

struct SessionOptions {
  std::string label;     // of the run
  bool lasting = false;  // a shell's
  bool sealed = false;
};

// Ends a command's run, also at a server that was started anew meanwhile: that
// one holds no connection of ours.
void CloseSession(Session& session);

// For a process with one thread.
absl::StatusOr<Session> OpenSession(const Invocation& invocation,
                                    const SessionOptions& options);

}  // namespace brume::cli
