#include "store/kv/schema_version.h"

#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/numbers.h>

#include <memory>
#include <string_view>

namespace brume::store {
namespace {

constexpr size_t kMaxVersionFile = 32;

absl::Status WriteVersion(FileSystem& files, const std::string& path,
                          int version) {
  const std::string temporary = base::StrCat(path, ".new");
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   files.Open(temporary, OpenMode::kCreate));
  RETURN_IF_ERROR(file->Append(base::StrCat(version, "\n")));
  RETURN_IF_ERROR(file->Sync("kv.version"));
  return files.Rename(temporary, path);
}

}  // namespace

absl::Status CheckSchemaVersion(FileSystem& files, const std::string& folder,
                                int known) {
  const std::string path = base::StrCat(folder, "/VERSION");
  const absl::StatusOr<std::unique_ptr<File>> file =
      files.Open(path, OpenMode::kRead);
  if (absl::IsNotFound(file.status())) {
    return WriteVersion(files, path, known);
  }
  RETURN_IF_ERROR(file.status());
  char bytes[kMaxVersionFile];
  ASSIGN_OR_RETURN(const size_t size,
                   (*file)->ReadAt(0, kMaxVersionFile, bytes));
  const std::string_view text(bytes, size);
  int found = 0;
  if (!text.ends_with('\n') ||
      !absl::SimpleAtoi(base::ToAbsl(text.substr(0, size - 1)), &found)) {
    return absl::DataLossError(
        base::StrCat("open data folder '", folder,
                     "': its VERSION file is broken; restore the folder from "
                     "a backup or choose another"));
  }
  if (found > known) {
    return absl::FailedPreconditionError(
        base::StrCat("open data folder '", folder, "': version ", found,
                     " was written by a newer program, this one reads up to ",
                     known, "; upgrade or choose another folder"));
  }
  return absl::OkStatus();
}

}  // namespace brume::store
