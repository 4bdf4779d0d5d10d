#include "app/control_client.h"
#include "base/errno_status.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/server_start.h"
#include "runtime/child_process.h"
#include "store/image/stand_in.h"

#include <absl/time/clock.h>
#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

// brume images: what jobs can run.
namespace brume::cli {
namespace {

namespace json = boost::json;

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string());
}

std::string Megabytes(uint64_t bytes) {
  return base::StrCat((bytes + 500'000) / 1'000'000, " MB");
}

// One line that is written over, on a terminal; elsewhere a line per step.
class Progress {
 public:
  Progress() : is_terminal_(isatty(STDERR_FILENO) == 1) {}
  ~Progress() { Clear(); }

  void Show(std::string_view step, uint64_t bytes) {
    const absl::Time now = absl::Now();
    const bool is_new = step != step_;
    if (!is_new && now < next_) return;
    next_ = now + absl::Milliseconds(200);
    step_ = std::string(step);
    if (!is_terminal_) {
      if (is_new) std::fprintf(stderr, "%s\n", step_.c_str());
      return;
    }
    const auto seconds = absl::ToInt64Seconds(now - began_);
    std::string line = base::StrCat(step_, "  ", seconds, " s");
    if (bytes > 0) base::StrAppend(&line, "  ", Megabytes(bytes));
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
  }
  void Clear() {
    if (is_terminal_ && !step_.empty()) std::fputs("\r\033[K", stderr);
    step_.clear();
  }

 private:
  const bool is_terminal_;
  const absl::Time began_ = absl::Now();
  absl::Time next_ = absl::InfinitePast();
  std::string step_;
};

absl::Status ReadReport(const base::UniqueFd& pipe, Progress& progress,
                        json::object& done) {
  std::string received;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t got = read(pipe.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      return absl::UnavailableError(
          "import image: the server ended before it was done; see "
          "'brume.log' in the data folder");
    }
    received.append(buffer.data(), static_cast<size_t>(got));
    size_t end = 0;
    while ((end = received.find('\n')) != std::string::npos) {
      boost::system::error_code error;
      json::value line = json::parse(received.substr(0, end), error);
      received.erase(0, end + 1);
      if (error || !line.is_object()) continue;
      json::object& object = line.get_object();
      if (object.contains("message")) {
        return absl::UnknownError(Text(object, "message"));
      }
      if (object.contains("images")) {
        done = std::move(object);
        return absl::OkStatus();
      }
      const json::value* bytes = object.if_contains("bytes");
      if (bytes != nullptr && bytes->is_number()) {
        progress.Show("storing", bytes->to_number<uint64_t>());
      } else {
        progress.Show("unpacking", 0);
      }
    }
  }
}

// Hands the archive to the server and waits; exit code 0.
absl::StatusOr<int> Import(const Invocation& invocation,
                           const base::UniqueFd& archive,
                           const std::string& name) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  ASSIGN_OR_RETURN(const auto client, ConnectOrStart(invocation, folder));
  ASSIGN_OR_RETURN(runtime::Pipe report, runtime::MakePipe());
  RETURN_IF_ERROR(client
                      ->Call("image_import", {{"name", name}},
                             {archive.get(), report.write.get()})
                      .status());
  report.write.Reset();
  Progress progress;
  progress.Show("storing", 0);
  json::object done;
  RETURN_IF_ERROR(ReadReport(report.read, progress, done));
  progress.Clear();
  if (invocation.values.Switch("json")) {
    PrintJson(done);
    return 0;
  }
  for (const json::value& image : done.at("images").as_array()) {
    Print(base::StrCat(std::string(image.as_string()), "\n"));
  }
  if (const std::string note = Text(done, "note"); !note.empty()) {
    PrintNote(base::StrCat("stored, but no job can run it yet: ", note));
  }
  return 0;
}

absl::StatusOr<int> ImportFile(const Invocation& invocation,
                               const std::string& file) {
  base::UniqueFd archive(file == "-"
                             ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                             : open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!archive.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open '", file, "'"));
  }
  return Import(invocation, archive, invocation.values.Text("name"));
}

std::string CacheFolder(const config::Environment& environment) {
  const auto variable = [&environment](const char* name) {
    return environment(name).value_or("");
  };
  const std::string cache = variable("XDG_CACHE_HOME");
  return base::StrCat(
      cache.empty() ? base::StrCat(variable("HOME"), "/.cache") : cache,
      "/brume/stand-in");
}

absl::StatusOr<int> StandIn(const Invocation& invocation,
                            const std::string& name) {
  Progress progress;
  store::image::StandInOptions options;
  options.cache = CacheFolder(invocation.environment);
  options.mirror = invocation.values.Text("mirror");
  options.fresh = invocation.values.Switch("fresh");
  options.progress = [&progress](std::string_view step, uint64_t bytes) {
    progress.Show(step, bytes);
  };
  ASSIGN_OR_RETURN(const std::string folder,
                   store::image::MakeStandIn(options));
  progress.Clear();
  const base::UniqueFd archive(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!archive.valid()) {
    return base::ErrnoToStatus(errno, base::StrCat("open '", folder, "'"));
  }
  return Import(invocation, archive, name);
}

absl::StatusOr<json::object> Ask(const Invocation& invocation,
                                 std::string_view op, json::object fields) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  ASSIGN_OR_RETURN(const auto client, ConnectOrStart(invocation, folder));
  ASSIGN_OR_RETURN(json::object reply, client->Call(op, std::move(fields)));
  reply.erase("ok");
  return reply;
}

absl::StatusOr<int> List(const Invocation& invocation) {
  ASSIGN_OR_RETURN(const json::object reply, Ask(invocation, "images", {}));
  const json::array& images = reply.at("images").as_array();
  if (invocation.values.Switch("json")) {
    PrintJson(images);
    return 0;
  }
  if (images.empty()) {
    PrintNote(
        "no images yet; make one with 'brume images stand-in NAME' or bring "
        "one with 'docker save NAME | brume images import -'");
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "TAG", "DIGEST", "SIZE", "KIND"}};
  constexpr size_t kShownDigest = 19;  // "sha256:" and 12 digits
  for (const json::value& item : images) {
    const json::object& image = item.as_object();
    rows.push_back({Text(image, "name"), Text(image, "tag"),
                    Text(image, "digest").substr(0, kShownDigest),
                    Megabytes(image.at("size").to_number<uint64_t>()),
                    image.at("standIn").as_bool() ? "stand-in" : "image"});
  }
  Print(Table(rows));
  return 0;
}

absl::StatusOr<int> Remove(const Invocation& invocation,
                           const std::string& name) {
  ASSIGN_OR_RETURN(const json::object reply,
                   Ask(invocation, "image_remove", {{"name", name}}));
  if (invocation.values.Switch("json")) {
    PrintJson(reply);
  } else {
    Print(base::StrCat("removed ", Text(reply, "digest"), "\n"));
  }
  return 0;
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  const std::vector<std::string>& words = invocation.values.operands();
  const std::string& verb = words[0];
  if (verb == "list" && words.size() == 1) return List(invocation);
  if (words.size() == 2) {
    if (verb == "stand-in") return StandIn(invocation, words[1]);
    if (verb == "import") return ImportFile(invocation, words[1]);
    if (verb == "remove") return Remove(invocation, words[1]);
  }
  return absl::InvalidArgumentError(
      base::StrCat("read 'images ", verb,
                   "': it is none of 'list', 'import FILE', 'stand-in NAME' "
                   "and 'remove NAME'"));
}

}  // namespace

Command ImagesCommand() {
  return {
      .name = "images",
      .summary =
          "Bring container images, or make small ones that stand in for "
          "prebuilt training images, and list them.",
      .example =
          "  brume images stand-in \\\n"
          "    us-docker.pkg.dev/vertex-ai/training/pytorch-gpu.2-3:latest\n"
          "  docker save team/train:v1 | brume images import -\n"
          "  brume images list",
      .operands = "list | import FILE | stand-in NAME | remove NAME",
      .settings = {"data", "fresh", "json", "mirror", "name", "port"},
      .run = Run};
}

}  // namespace brume::cli
