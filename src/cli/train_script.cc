#include "cli/train_script.h"

#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "base/unique_fd.h"

#include <boost/json/object.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace brume::cli {
namespace {

namespace json = boost::json;

// argv: URI ARGS...
constexpr std::string_view kFetchAndRun = R"py(
import json, os, sys, urllib.parse, urllib.request
uri, args = sys.argv[1], sys.argv[2:]
token = json.load(urllib.request.urlopen(urllib.request.Request(
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
    headers={"Metadata-Flavor": "Google"}), timeout=60))["access_token"]
bucket, _, name = uri[len("gs://"):].partition("/")
url = "https://storage.googleapis.com/storage/v1/b/%s/o/%s?alt=media" % (
    urllib.parse.quote(bucket, safe=""), urllib.parse.quote(name, safe=""))
script = urllib.request.urlopen(urllib.request.Request(
    url, headers={"Authorization": "Bearer " + token}), timeout=60).read()
path = os.path.join(os.environ.get("TMPDIR", "/tmp"), name.rsplit("/", 1)[-1])
with open(path, "wb") as out:
    out.write(script)
os.environ.setdefault("PYTHONUNBUFFERED", "1")
os.execv(sys.executable, [sys.executable, path] + args)
)py";

}  // namespace

absl::StatusOr<std::string> EnsureBucket(client::GoogleApi& api,
                                         std::string_view project,
                                         std::string_view bucket,
                                         std::string_view location) {
  const std::string name =
      bucket.empty()
          ? base::StrCat(project, "-training")
          : std::string(bucket.substr(bucket.substr(0, 5) == "gs://" ? 5 : 0));
  const std::string root = "https://storage.googleapis.com/storage/v1/b";
  const absl::StatusOr<json::value> found =
      api.Call("GET", base::StrCat(root, "/", name));
  if (found.ok()) return name;
  if (!absl::IsNotFound(found.status())) return found.status();
  RETURN_IF_ERROR(api.Call("POST", base::StrCat(root, "?project=", project),
                           json::object{{"name", name}, {"location", location}})
                      .status());
  return name;
}

absl::StatusOr<std::string> UploadScript(client::StorageClient& storage,
                                         const std::string& bucket,
                                         const std::string& object,
                                         const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open script '", path, "'"));
  }
  struct stat about = {};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return absl::InvalidArgumentError(
        base::StrCat("submit script '", path, "': it is no file"));
  }
  client::UploadSource source;
  source.size = static_cast<uint64_t>(about.st_size);
  source.content_type = "text/x-python";
  source.read = [&file, &path](uint64_t offset, char* out,
                               size_t size) -> absl::StatusOr<size_t> {
    const ssize_t got =
        ::pread(file.get(), out, size, static_cast<off_t>(offset));
    if (got < 0) {
      return base::ErrnoToStatus(errno, base::StrCat("read '", path, "'"));
    }
    return static_cast<size_t>(got);
  };
  RETURN_IF_ERROR(
      storage.Upload(bucket, object, source, [](int64_t) {}).status());
  return base::StrCat("gs://", bucket, "/", object);
}

std::vector<std::string> RunScriptCommand(const std::string& uri) {
  return {"python3", "-c", std::string(kFetchAndRun), uri};
}

}  // namespace brume::cli
