#include "cli/transfer.h"

#include "base/errno_status.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "base/unique_fd.h"
#include "cli/files.h"
#include "cli/progress_line.h"

#include <absl/synchronization/mutex.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>
#include <utility>

namespace brume::cli {
namespace {

constexpr size_t kAtATime = 4;

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      return base::ErrnoToStatus(errno, base::StrCat("write '", path, "'"));
    }
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::Status Upload(client::StorageClient& storage, const Transfer& transfer,
                    const client::Progress& progress) {
  const std::string& path = transfer.from.local;
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open '", path, "'"));
  }
  client::UploadSource source;
  source.size = transfer.size;
  source.content_type = ContentTypeOf(path);
  source.read = [&](uint64_t offset, char* out,
                    size_t size) -> absl::StatusOr<size_t> {
    while (true) {
      const ssize_t got =
          ::pread(file.get(), out, size, static_cast<off_t>(offset));
      if (got >= 0) return static_cast<size_t>(got);
      if (errno == EINTR) continue;
      return base::ErrnoToStatus(errno, base::StrCat("read '", path, "'"));
    }
  };
  return storage
      .Upload(transfer.to.bucket, transfer.to.object, source, progress)
      .status();
}

// Under another name until it is whole: nobody finds half a file.
absl::Status Download(client::StorageClient& storage, const Transfer& transfer,
                      const client::Progress& progress) {
  const std::string& path = transfer.to.local;
  if (path == "-") {
    return storage.Download(
        transfer.object,
        [](std::string_view bytes) {
          return WriteAll(STDOUT_FILENO, bytes, "standard output");
        },
        progress);
  }
  if (const size_t slash = path.rfind('/'); slash != path.npos && slash > 0) {
    std::error_code error;
    std::filesystem::create_directories(path.substr(0, slash), error);
  }
  const std::string partial = base::StrCat(path, ".", base::RandomHex(8));
  base::UniqueFd file(
      ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("write '", path, "'"));
  }
  absl::Status status = storage.Download(
      transfer.object,
      [&](std::string_view bytes) { return WriteAll(file.get(), bytes, path); },
      progress);
  if (status.ok() && ::rename(partial.c_str(), path.c_str()) != 0) {
    status = base::ErrnoToStatus(errno, base::StrCat("write '", path, "'"));
  }
  if (!status.ok()) ::unlink(partial.c_str());
  return status;
}

absl::Status Make(client::StorageClient& storage, const Transfer& transfer,
                  const client::Progress& progress) {
  if (!transfer.from.remote && !transfer.to.remote) {
    return absl::InvalidArgumentError(
        base::StrCat("copy '", transfer.from.local, "' to '", transfer.to.local,
                     "': neither is in the cloud; use cp"));
  }
  absl::Status status;
  if (!transfer.from.remote) {
    status = Upload(storage, transfer, progress);
  } else if (!transfer.to.remote) {
    status = Download(storage, transfer, progress);
  } else {
    status =
        storage.Copy(transfer.object, transfer.to.bucket, transfer.to.object)
            .status();
    if (status.ok()) progress(static_cast<int64_t>(transfer.size));
  }
  if (status.ok()) return status;
  return absl::Status(
      status.code(), base::StrCat("copy '", transfer.from.Text(), "' to '",
                                  transfer.to.Text(), "': ", status.message()));
}

}  // namespace

absl::Status RunTransfers(const CloudSession& session,
                          const std::vector<Transfer>& transfers) {
  uint64_t total = 0;
  for (const Transfer& transfer : transfers) total += transfer.size;
  ProgressLine line("copied", transfers.size(), total);
  std::atomic<size_t> next = 0;
  absl::Mutex mutex;
  absl::Status first;
  const auto work = [&] {
    auto client = session.NewClient();
    while (true) {
      const size_t at = next++;
      if (at >= transfers.size()) return;
      const absl::Status status =
          client.ok() ? Make((*client)->storage(), transfers[at],
                             [&](int64_t bytes) { line.Add(bytes); })
                      : client.status();
      line.Done();
      if (status.ok()) continue;
      absl::MutexLock lock(&mutex);
      if (first.ok()) first = status;
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(kAtATime, transfers.size()); ++i) {
    threads.emplace_back(work);
  }
  work();
  for (std::thread& thread : threads) thread.join();
  line.Finish();
  return first;
}

}  // namespace brume::cli
