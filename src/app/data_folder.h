#pragma once

#include "base/unique_fd.h"
#include "store/fs/file_system.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace brume::app {

// Everything a server keeps: one folder, 0700, its owner's alone.
//   VERSION       number of its layout; a newer one is refused
//   lock          held by the server that runs
//   port          of that server, decimal
//   control.sock  see control_server.h
//   ca/ kv/ blob/ layers/ tasks/ clients/ brume.log
class DataFolder {
 public:
  // Of the layout; raised when an older program could not read it.
  static constexpr int kVersion = 1;

  // Makes it where it is missing, with its parents, and locks it. Errors are
  // one line for the user: FAILED_PRECONDITION when another server holds it or
  // a newer program wrote it, else what the file system says.
  static absl::StatusOr<std::unique_ptr<DataFolder>> Open(
      std::string path, store::FileSystem* files);

  const std::string& path() const { return path_; }
  std::string At(std::string_view name) const;

  absl::Status WritePort(uint16_t port);

  // Of a folder that may belong to no running server.
  static std::optional<uint16_t> ReadPort(const std::string& path);

 private:
  DataFolder(std::string path, store::FileSystem* files,
             std::unique_ptr<store::FileLock> lock);

  const std::string path_;
  store::FileSystem* const files_;
  const std::unique_ptr<store::FileLock> lock_;
};

}  // namespace brume::app
