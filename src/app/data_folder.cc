#include "app/data_folder.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/kv/schema_version.h"

#include <absl/strings/numbers.h>

#include <fstream>
#include <utility>
#include <vector>

namespace brume::app {
namespace {

absl::Status MakeWithParents(store::FileSystem& files,
                             const std::string& path) {
  std::vector<std::string> missing;
  std::string at = path;
  while (at.size() > 1 && absl::IsNotFound(files.Stat(at).status())) {
    missing.push_back(at);
    at = store::DirectoryOf(at);
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    RETURN_IF_ERROR(files.MakeDirectory(*it));
  }
  ASSIGN_OR_RETURN(const store::FileInfo info, files.Stat(path));
  if (!info.is_directory) {
    return absl::FailedPreconditionError("it is not a folder");
  }
  return absl::OkStatus();
}

absl::Status Explain(const std::string& path, const absl::Status& status) {
  return absl::Status(
      status.code(),
      base::StrCat("use data folder '", path, "': ", status.message(),
                   "; name another with --data"));
}

}  // namespace

DataFolder::DataFolder(std::string path, store::FileSystem* files,
                       std::unique_ptr<store::FileLock> lock)
    : path_(std::move(path)), files_(files), lock_(std::move(lock)) {}

absl::StatusOr<std::unique_ptr<DataFolder>> DataFolder::Open(
    std::string path, store::FileSystem* files) {
  if (const absl::Status made = MakeWithParents(*files, path); !made.ok()) {
    return Explain(path, made);
  }
  absl::StatusOr<std::unique_ptr<store::FileLock>> lock =
      files->Lock(path + "/lock");
  if (absl::IsFailedPrecondition(lock.status())) {
    const std::optional<uint16_t> port = ReadPort(path);
    return absl::FailedPreconditionError(base::StrCat(
        "use data folder '", path, "': another server uses it",
        port.has_value() ? base::StrCat(" (port ", *port, ")") : "",
        "; stop it with 'brume down' or name another folder with --data"));
  }
  if (!lock.ok()) return Explain(path, lock.status());
  RETURN_IF_ERROR(store::CheckSchemaVersion(*files, path, kVersion));
  RETURN_IF_ERROR(files->SyncDirectory(path, "data_folder.version"));
  return std::unique_ptr<DataFolder>(
      new DataFolder(std::move(path), files, *std::move(lock)));
}

std::string DataFolder::At(std::string_view name) const {
  return base::StrCat(path_, "/", name);
}

absl::Status DataFolder::WritePort(uint16_t port) {
  const std::string temporary = At("port.new");
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<store::File> file,
                     files_->Open(temporary, store::OpenMode::kCreate));
    RETURN_IF_ERROR(file->Append(base::StrCat(port, "\n")));
  }
  return files_->Rename(temporary, At("port"));
}

std::optional<uint16_t> DataFolder::ReadPort(const std::string& path) {
  std::ifstream file(path + "/port");
  std::string line;
  int port = 0;
  if (!std::getline(file, line) || !absl::SimpleAtoi(line, &port) || port < 1 ||
      port > 65535) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(port);
}

}  // namespace brume::app
