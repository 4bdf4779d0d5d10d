#pragma once

#include "cli/client_files.h"
#include "runtime/sealed_namespace.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

namespace brume::cli {

// The mounts of `brume run --sealed`: the command sees name servers, hosts and
// roots of ours under /etc, and our gcloud folder at ~/.config/gcloud, for
// clients that look nowhere else. Nothing of this is seen outside.
class SealedCommand {
 public:
  // Writes what will be mounted, and makes ~/.config/gcloud as a place to mount
  // on where the user has none.
  static absl::StatusOr<std::unique_ptr<SealedCommand>> Prepare(
      const ClientFiles& files, const std::string& home);

  // Moves the calling process inside. For a forked child with one thread.
  absl::Status Enter(const runtime::SealedNamespace& network) const;

  // Removes the place again when it was made here and nobody else uses it.
  ~SealedCommand();

 private:
  struct Mount {
    std::string from;
    std::string to;
  };
  SealedCommand() = default;
  absl::Status MakePlace(const std::string& home, const std::string& marker);

  std::vector<Mount> mounts_;
  std::string home_;
  std::string marker_;   // says that the place is of our making
  base::UniqueFd lock_;  // shared by the commands that use it
};

}  // namespace brume::cli
