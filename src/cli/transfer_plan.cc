#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/transfer.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace brume::cli {
namespace {

namespace fs = std::filesystem;

// What a source holds: (name below it, transfer without its destination).
struct Part {
  std::string below;  // "" for the source itself
  Transfer transfer;
};

absl::StatusOr<std::vector<Part>> LocalParts(const CloudPath& source,
                                             bool recursive) {
  std::vector<Part> out;
  if (source.local == "-") {
    return absl::InvalidArgumentError(
        "copy from standard input: its length must be known; write a file "
        "first");
  }
  struct stat info = {};
  if (::stat(source.local.c_str(), &info) != 0) {
    return base::ErrnoToStatus(errno,
                               base::StrCat("copy '", source.local, "'"));
  }
  if (!S_ISDIR(info.st_mode)) {
    out.push_back(
        {"", {.from = source, .size = static_cast<uint64_t>(info.st_size)}});
    return out;
  }
  if (!recursive) {
    return absl::FailedPreconditionError(base::StrCat(
        "copy '", source.local, "': it is a folder; add --recursive"));
  }
  std::error_code error;
  for (fs::recursive_directory_iterator at(source.local, error), end;
       !error && at != end; at.increment(error)) {
    if (!at->is_regular_file(error)) continue;
    Part part;
    part.below = at->path().lexically_relative(source.local).string();
    part.transfer.from = {.local = at->path().string()};
    part.transfer.size = at->file_size(error);
    out.push_back(std::move(part));
  }
  if (error) {
    return absl::UnknownError(
        base::StrCat("copy '", source.local, "': ", error.message()));
  }
  return out;
}

absl::StatusOr<std::vector<Part>> RemoteParts(client::StorageClient& storage,
                                              const CloudPath& source,
                                              bool recursive) {
  std::vector<Part> out;
  const auto add = [&](client::ObjectInfo object, std::string below) {
    Part part;
    part.below = std::move(below);
    part.transfer.from = {
        .remote = true, .bucket = object.bucket, .object = object.name};
    part.transfer.size = object.size;
    part.transfer.object = std::move(object);
    out.push_back(std::move(part));
  };
  if (!source.object.empty() && !source.object.ends_with('/')) {
    absl::StatusOr<client::ObjectInfo> object =
        storage.Get(source.bucket, source.object);
    if (object.ok()) {
      add(*std::move(object), "");
      return out;
    }
    if (!recursive || !absl::IsNotFound(object.status())) {
      return absl::Status(object.status().code(),
                          base::StrCat("copy '", source.Text(),
                                       "': ", object.status().message()));
    }
  }
  if (!recursive) {
    return absl::FailedPreconditionError(base::StrCat(
        "copy '", source.Text(), "': it is no object; add --recursive"));
  }
  std::string prefix = source.object;
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  RETURN_IF_ERROR(storage.List(
      source.bucket, prefix, "",
      [&](client::StorageClient::Item item) -> absl::Status {
        std::string below = item.object->name.substr(prefix.size());
        if (!below.empty()) add(*std::move(item.object), std::move(below));
        return absl::OkStatus();
      }));
  if (out.empty()) {
    return absl::NotFoundError(
        base::StrCat("copy '", source.Text(), "': nothing is there"));
  }
  return out;
}

absl::StatusOr<bool> IsFolder(client::StorageClient& storage,
                              const CloudPath& path) {
  if (!path.remote) {
    struct stat info = {};
    return path.local.ends_with('/') ||
           (::stat(path.local.c_str(), &info) == 0 && S_ISDIR(info.st_mode));
  }
  if (path.object.empty() || path.object.ends_with('/')) return true;
  bool found = false;
  RETURN_IF_ERROR(storage.List(path.bucket, path.object + "/", "/",
                               [&](client::StorageClient::Item) {
                                 found = true;
                                 return absl::OkStatus();
                               }));
  return found;
}

CloudPath Under(const CloudPath& folder, std::string_view name) {
  CloudPath out = folder;
  std::string& path = out.remote ? out.object : out.local;
  if (!path.empty() && !path.ends_with('/')) path += '/';
  path += name;
  return out;
}

// An object's name may not lead out of the folder into which it is copied.
absl::Status CheckStaysBelow(const Transfer& transfer) {
  if (transfer.to.remote) return absl::OkStatus();
  for (const fs::path& part : fs::path(transfer.from.object)) {
    if (part != ".." && part != "/") continue;
    return absl::InvalidArgumentError(base::StrCat(
        "copy '", transfer.from.Text(), "': a name with '", part.string(),
        "' in it leads out of '", transfer.to.local, "'"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Transfer>> PlanTransfers(
    client::StorageClient& storage, const std::vector<std::string>& operands,
    bool recursive) {
  if (operands.size() < 2) {
    return absl::InvalidArgumentError(
        "copy: name a source and a destination; see 'brume cp --help'");
  }
  ASSIGN_OR_RETURN(const CloudPath to, ParseCloudPath(operands.back()));
  const bool to_output = !to.remote && to.local == "-";
  ASSIGN_OR_RETURN(const bool into, IsFolder(storage, to));
  if (operands.size() > 2 && !into) {
    return absl::FailedPreconditionError(base::StrCat(
        "copy several sources to '", operands.back(), "': it is no folder"));
  }
  std::vector<Transfer> out;
  for (size_t i = 0; i + 1 < operands.size(); ++i) {
    ASSIGN_OR_RETURN(const CloudPath source, ParseCloudPath(operands[i]));
    ASSIGN_OR_RETURN(std::vector<Part> parts,
                     source.remote ? RemoteParts(storage, source, recursive)
                                   : LocalParts(source, recursive));
    const std::string name =
        source.remote && source.object.empty()
            ? source.bucket
            : BaseName(source.remote ? source.object : source.local);
    for (Part& part : parts) {
      Transfer& transfer = part.transfer;
      transfer.to = to;
      if (into && !to_output) transfer.to = Under(to, name);
      if (!part.below.empty()) transfer.to = Under(transfer.to, part.below);
      RETURN_IF_ERROR(CheckStaysBelow(transfer));
      out.push_back(std::move(transfer));
    }
  }
  return out;
}

}  // namespace brume::cli
