#include "app/image_desk.h"

#include "base/log.h"
#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "store/image/archive.h"
#include "store/image/import.h"
#include "store/image/reference.h"

#include <absl/time/clock.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>
#include <vector>

namespace brume::app {
namespace {

namespace json = boost::json;
namespace image = store::image;

constexpr size_t kImporters = 2;
constexpr uint64_t kReportEvery = 8 * 1024 * 1024;  // bytes

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value =
      object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string());
}

// False when nobody reads any more.
bool Report(const base::UniqueFd& pipe, const json::object& line) {
  const std::string text = json::serialize(line) + "\n";
  // The server ignores SIGPIPE.
  return write(pipe.get(), text.data(), text.size()) ==
         static_cast<ssize_t>(text.size());
}

struct Job {
  std::string name;
  base::UniqueFd archive;
  base::UniqueFd report;
};

absl::StatusOr<std::vector<std::string>> Store(Job& job,
                                               const std::string& scratch,
                                               image::ImageStore& images) {
  ASSIGN_OR_RETURN(const std::unique_ptr<image::Archive> archive,
                   image::OpenArchive(std::move(job.archive), scratch));
  uint64_t reported = 0;
  return image::ImportImages(*archive, job.name, absl::Now(), images,
                             [&](uint64_t bytes) {
                               if (bytes < reported + kReportEvery) return true;
                               reported = bytes;
                               return Report(job.report, {{"bytes", bytes}});
                             });
}

}  // namespace

ImageDesk::ImageDesk(Options options)
    : options_(std::move(options)), importers_(kImporters) {}

bool ImageDesk::Knows(std::string_view op) {
  return op == "images" || op == "image_import" || op == "image_remove";
}

ControlServer::Reply ImageDesk::Handle(ControlServer::Request request) {
  if (request.op == "images") return List();
  if (request.op == "image_import") return Import(std::move(request));
  return Remove(request);
}

ControlServer::Reply ImageDesk::List() {
  ASSIGN_OR_RETURN(const std::vector<image::ImageSummary> images,
                   options_.images->List());
  json::array rows;
  for (const image::ImageSummary& row : images) {
    rows.push_back(json::object{
        {"name", row.name},
        {"tag", row.tag},
        {"digest", row.digest},
        {"size", row.size},
        {"tagged", base::FormatTime(row.tagged, base::Fraction::kNone)},
        {"standIn", row.is_stand_in}});
  }
  return json::object{{"images", std::move(rows)}};
}

ControlServer::Reply ImageDesk::Import(ControlServer::Request request) {
  if (request.fds.size() != 2) {
    return absl::InvalidArgumentError(
        "import image: an archive and a pipe for the report must come along");
  }
  auto job = std::make_shared<Job>();
  job->name = Text(request.fields, "name");
  if (!job->name.empty()) {
    ASSIGN_OR_RETURN(image::Reference reference,
                     image::ParseReference(job->name));
    if (image::IsPrebuiltTrainingName(reference.name())) {
      job->name = base::StrCat(image::CanonicalPrebuiltName(reference.name()),
                               ":", reference.tag);
    }
  }
  job->archive = std::move(request.fds[0]);
  job->report = std::move(request.fds[1]);
  importers_.Submit([options = options_, job] {
    const auto stored = Store(*job, options.scratch, *options.images);
    if (!stored.ok()) {
      Report(job->report,
             {{"code", absl::StatusCodeToString(stored.status().code())},
              {"message", std::string(stored.status().message())}});
      return;
    }
    // So that the first job need not wait; a machine that cannot run jobs may
    // still store images.
    Report(job->report, {{"step", "unpack"}});
    json::object done;
    json::array names;
    for (const std::string& name : *stored) {
      names.emplace_back(name);
      const auto resolved = options.images->Resolve(name);
      const absl::Status unpacked =
          resolved.ok() ? options.layers->Ensure(*resolved).status()
                        : resolved.status();
      if (!unpacked.ok()) {
        base::Log(
            base::LogLevel::kWarn, "images", "image not unpacked",
            {{"image", name}, {"cause", base::ToStd(unpacked.message())}});
        done["note"] = std::string(unpacked.message());
      }
    }
    done["images"] = std::move(names);
    Report(job->report, done);
  });
  return json::object();
}

ControlServer::Reply ImageDesk::Remove(const ControlServer::Request& request) {
  ASSIGN_OR_RETURN(const image::ResolvedImage found,
                   options_.images->Resolve(Text(request.fields, "name")));
  ASSIGN_OR_RETURN(const image::Reference reference,
                   image::ParseReference(found.reference));
  ASSIGN_OR_RETURN(
      const image::StoredManifest manifest,
      options_.images->GetManifest(reference.name(), reference.digest.empty()
                                                         ? reference.tag
                                                         : reference.digest));
  bool has_other_tag = false;
  ASSIGN_OR_RETURN(const std::vector<image::ImageSummary> images,
                   options_.images->List());
  for (const image::ImageSummary& row : images) {
    has_other_tag |= row.name == reference.name() &&
                     row.digest == manifest.digest && row.tag != reference.tag;
  }
  if (reference.digest.empty() && has_other_tag) {
    RETURN_IF_ERROR(
        options_.images->DeleteTag(reference.name(), reference.tag));
  } else {
    RETURN_IF_ERROR(
        options_.images->DeleteManifest(reference.name(), manifest.digest));
  }
  return json::object{{"digest", manifest.digest}};
}

}  // namespace brume::app
