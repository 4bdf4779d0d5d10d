#include "cli/files.h"

#include "base/errno_status.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace brume::cli {

std::string ReadWholeFile(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string out;
  char buffer[16 * 1024];
  while (fd.valid()) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    out.append(buffer, static_cast<size_t>(got));
  }
  return out;
}

absl::Status MakeFolders(const std::string& path) {
  for (size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    const std::string folder = path.substr(0, at);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return base::ErrnoToStatus(errno,
                                 base::StrCat("make folder '", folder, "'"));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteWholeFile(const std::string& path, std::string_view text) {
  if (!text.empty() && ReadWholeFile(path) == text) return absl::OkStatus();
  const std::string action = base::StrCat("write '", path, "'");
  const std::string temporary = base::StrCat(path, ".", base::RandomHex(8));
  base::UniqueFd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return base::ErrnoToStatus(errno, action);
  while (!text.empty()) {
    const ssize_t put = ::write(fd.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const int error = errno;
      ::unlink(temporary.c_str());
      return base::ErrnoToStatus(error, action);
    }
    text.remove_prefix(static_cast<size_t>(put));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return base::ErrnoToStatus(errno, action);
  }
  return absl::OkStatus();
}

absl::Status WriteNewFile(const std::string& path, std::string_view text) {
  if (::access(path.c_str(), F_OK) == 0) return absl::OkStatus();
  return WriteWholeFile(path, text);
}

}  // namespace brume::cli
