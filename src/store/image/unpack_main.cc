#include "store/image/unpack_main.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "runtime/id_mapping.h"
#include "store/image/layer_unpacker.h"
#include "store/image/rooted_dir.h"

#include <absl/status/status.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace brume::store::image {
namespace {

absl::Status Unpack(const std::string& path) {
  ASSIGN_OR_RETURN(const RootedDir root, RootedDir::Open(path));
  struct stat info = {};
  if (fstat(STDIN_FILENO, &info) != 0) {
    return base::ErrnoToStatus(errno, "read layer");
  }
  base::UniqueFd input(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  std::unique_ptr<ByteSource> source =
      S_ISREG(info.st_mode)
          ? FileSource(std::move(input), 0, static_cast<uint64_t>(info.st_size))
          : PipeSource(std::move(input));
  ASSIGN_OR_RETURN(const UnpackResult result,
                   UnpackLayer(std::move(source), root, UnpackRights()));
  // 0755 whatever the archive says of "./": programs that run as another user
  // must get in.
  const base::UniqueFd top(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!top.valid() || fchmod(top.get(), 0755) != 0 || syncfs(top.get()) != 0) {
    return base::ErrnoToStatus(errno, base::StrCat("sync '", path, "'"));
  }
  std::fputs(result.diff_id.c_str(), stdout);
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::Status Remove(const std::string& folder, const std::string& name) {
  const base::UniqueFd dir(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open '", folder, "'"));
  }
  return RemoveTree(dir.get(), name);
}

absl::Status Run(int argc, char** argv) {
  if (argc != 3) {
    return absl::InvalidArgumentError("unpack: three words expected");
  }
  const std::string_view verb = argv[0];
  const std::string folder = argv[1];
  const std::string name = argv[2];
  umask(0);
  if (geteuid() != 0) RETURN_IF_ERROR(runtime::EnterMappedUserNamespace());
  if (verb == "unpack") return Unpack(base::StrCat(folder, "/", name));
  if (verb == "remove") return Remove(folder, name);
  return absl::InvalidArgumentError(
      base::StrCat("unpack: unknown verb '", verb, "'"));
}

}  // namespace

int UnpackMain(int argc, char** argv) {
  const absl::Status status = Run(argc, argv);
  if (status.ok()) return 0;
  const std::string message(status.message());
  std::fprintf(stderr, "%s\n", message.c_str());
  return 1;
}

}  // namespace brume::store::image
