#include "store/image/archive.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/rooted_dir.h"
#include "store/image/tar_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

absl::Status Missing(std::string_view name) {
  return absl::NotFoundError(
      base::StrCat("read archive: '", name, "' is missing"));
}

class Folder final : public Archive {
 public:
  explicit Folder(RootedDir dir) : dir_(std::move(dir)) {}

  bool Has(std::string_view name) const override {
    return dir_.OpenFile(name, O_PATH).ok();
  }

  absl::StatusOr<std::unique_ptr<ByteSource>> Open(
      std::string_view name) const override {
    // O_NONBLOCK: a FIFO must not hang us; it is refused just below.
    auto fd = dir_.OpenFile(name, O_RDONLY | O_NONBLOCK);
    if (absl::IsNotFound(fd.status())) return Missing(name);
    RETURN_IF_ERROR(fd.status());
    struct stat info = {};
    if (fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      return absl::InvalidArgumentError(
          base::StrCat("read archive: '", name, "' is not a file"));
    }
    return FileSource(*std::move(fd), 0, static_cast<uint64_t>(info.st_size));
  }

 private:
  RootedDir dir_;
};

// "./a/../b" as "b"; archives name their files in both ways.
std::string Normal(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(part);
  }
  std::string out;
  for (const std::string_view part : parts) {
    base::StrAppend(&out, out.empty() ? "" : "/", part);
  }
  return out;
}

class Tar final : public Archive {
 public:
  struct Place {
    uint64_t offset = 0;
    uint64_t size = 0;
    std::string link;  // old docker saves equal layers as symbolic links
  };

  Tar(base::UniqueFd fd, std::map<std::string, Place> places)
      : fd_(std::move(fd)), places_(std::move(places)) {}

  bool Has(std::string_view name) const override {
    return Find(name) != nullptr;
  }

  absl::StatusOr<std::unique_ptr<ByteSource>> Open(
      std::string_view name) const override {
    const Place* place = Find(name);
    if (place == nullptr) return Missing(name);
    base::UniqueFd fd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
    if (!fd.valid()) return base::ErrnoToStatus(errno, "read archive");
    return FileSource(std::move(fd), place->offset, place->size);
  }

 private:
  const Place* Find(std::string_view name) const {
    auto it = places_.find(Normal(name));
    for (int hops = 0; it != places_.end() && hops < 8; ++hops) {
      if (it->second.link.empty()) return &it->second;
      it = places_.find(it->second.link);
    }
    return nullptr;
  }

  base::UniqueFd fd_;
  std::map<std::string, Place> places_;
};

constexpr size_t kMaxEntries = 100000;

// Reads a file by position and leaves its descriptor where it stood.
class PositionSource final : public ByteSource {
 public:
  PositionSource(int fd, uint64_t size) : fd_(fd), size_(size) {}

  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    if (at_ >= size_) return 0;
    const ssize_t got = pread(fd_, data, size, static_cast<off_t>(at_));
    if (got < 0) return base::ErrnoToStatus(errno, "read archive");
    at_ += static_cast<uint64_t>(got);
    return static_cast<size_t>(got);
  }

 private:
  int fd_;
  uint64_t size_;
  uint64_t at_ = 0;
};

absl::StatusOr<std::unique_ptr<Archive>> IndexTar(base::UniqueFd fd) {
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) {
    return base::ErrnoToStatus(errno, "read archive");
  }
  TarReader tar(std::make_unique<PositionSource>(
      fd.get(), static_cast<uint64_t>(info.st_size)));
  std::map<std::string, Tar::Place> places;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<TarEntry> entry, tar.Next());
    if (!entry.has_value()) break;
    if (places.size() > kMaxEntries) {
      return absl::InvalidArgumentError(
          "read archive: it holds too many files to be an image");
    }
    const std::string name = Normal(entry->path);
    if (entry->type == TarEntry::Type::kFile) {
      places[name] = {tar.offset(), entry->size, ""};
    } else if (entry->type == TarEntry::Type::kHardLink) {
      places[name] = {0, 0, Normal(entry->link)};
    } else if (entry->type == TarEntry::Type::kSymlink) {
      const std::string folder = name.substr(0, name.rfind('/') + 1);
      places[name] = {0, 0, Normal(folder + entry->link)};
    }
  }
  return std::make_unique<Tar>(std::move(fd), std::move(places));
}

absl::StatusOr<base::UniqueFd> Spool(std::unique_ptr<ByteSource> source,
                                     const std::string& scratch) {
  base::UniqueFd out(
      open(scratch.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!out.valid()) {
    return base::ErrnoToStatus(
        errno, base::StrCat("make scratch file in '", scratch, "'"));
  }
  std::vector<char> buffer(256 * 1024);
  while (true) {
    ASSIGN_OR_RETURN(const size_t got,
                     source->Read(buffer.data(), buffer.size()));
    if (got == 0) return out;
    for (size_t done = 0; done < got;) {
      const ssize_t put = write(out.get(), buffer.data() + done, got - done);
      if (put < 0 && errno != EINTR) {
        return base::ErrnoToStatus(errno, "unpack archive");
      }
      if (put > 0) done += static_cast<size_t>(put);
    }
  }
}

bool IsPlainTar(int fd) {
  std::array<char, 4> magic = {};
  if (pread(fd, magic.data(), magic.size(), 0) !=
      static_cast<ssize_t>(magic.size())) {
    return true;
  }
  const std::string_view bytes(magic.data(), magic.size());
  return !bytes.starts_with("\x1f\x8b") && bytes != "\x28\xb5\x2f\xfd";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Archive>> OpenArchive(
    base::UniqueFd fd, const std::string& scratch) {
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) {
    return base::ErrnoToStatus(errno, "read archive");
  }
  if (S_ISDIR(info.st_mode)) {
    ASSIGN_OR_RETURN(RootedDir dir,
                     RootedDir::Open(base::StrCat("/proc/self/fd/", fd.get())));
    return std::make_unique<Folder>(std::move(dir));
  }
  if (S_ISREG(info.st_mode) && IsPlainTar(fd.get())) {
    return IndexTar(std::move(fd));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> plain,
                   Decompress(PipeSource(std::move(fd))));
  ASSIGN_OR_RETURN(base::UniqueFd spooled, Spool(std::move(plain), scratch));
  return IndexTar(std::move(spooled));
}

}  // namespace brume::store::image
