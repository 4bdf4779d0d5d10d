#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/ca_bundle.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/output.h"
#include "runtime/id_mapping.h"
#include "runtime/sealed_namespace.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace brume::cli {
namespace {

namespace json = boost::json;

// One thing that a machine has or lacks.
struct Finding {
  std::string what;
  bool found = false;
  bool needed = false;  // Brume's own part does not work without
  std::string serves;   // what it is for
  std::string detail;   // where it is, or how to get it
};

// As execvp looks, and where Debian keeps the administrator's programs.
std::string OnPath(const config::Environment& environment,
                   std::string_view program) {
  const std::string path =
      environment("PATH").value_or("") + ":/usr/sbin:/sbin:";
  for (size_t at = 0; at < path.size();) {
    const size_t end = path.find(':', at);
    const std::string file =
        base::StrCat(path.substr(at, end - at), "/", program);
    if (end > at && ::access(file.c_str(), X_OK) == 0) return file;
    at = end + 1;
  }
  return "";
}

Finding Program(const config::Environment& environment,
                std::string_view program, bool needed, std::string_view serves,
                std::string_view how) {
  const std::string path = OnPath(environment, program);
  return {.what = std::string(program),
          .found = !path.empty(),
          .needed = needed,
          .serves = std::string(serves),
          .detail = path.empty() ? std::string(how) : path};
}

Finding Namespaces() {
  const auto made = runtime::SealedNamespace::Create(
      {.mapping = runtime::SealedNamespace::DefaultMapping()});
  return {.what = "namespaces",
          .found = made.ok(),
          .needed = true,
          .serves = "brume run --sealed, jobs",
          .detail = made.ok()
                        ? "user, network and mount namespaces work"
                        : std::string(base::ToStd(made.status().message()))};
}

Finding SubordinateIds() {
  const auto ids = runtime::OwnSubordinateIds();
  return {.what = "subordinate ids",
          .found = ids.ok(),
          .needed = true,
          .serves = "jobs as an ordinary user",
          .detail = ids.ok()
                        ? base::StrCat(ids->uids.count, " users from ",
                                       ids->uids.first)
                        : std::string(base::ToStd(ids.status().message()))};
}

Finding Roots() {
  Finding out = {.what = "CA certificates",
                 .needed = true,
                 .serves = "hosts that are not served here (PyPI, ...)",
                 .detail = "apt-get install ca-certificates"};
  for (const std::string_view path : SystemBundles()) {
    if (::access(std::string(path).c_str(), R_OK) != 0) continue;
    out.found = true;
    out.detail = path;
    break;
  }
  return out;
}

Finding Overlay() {
  const bool found = ReadWholeFile("/proc/filesystems").find("\toverlay\n") !=
                     std::string::npos;
  return {.what = "overlayfs",
          .found = found,
          .needed = true,
          .serves = "jobs",
          .detail = found ? "in the kernel" : "modprobe overlay"};
}

Finding Disk(const std::string& folder) {
  constexpr uint64_t kWanted = uint64_t{5} << 30;
  std::string at = folder;
  while (at.size() > 1 && ::access(at.c_str(), F_OK) != 0) {
    at.resize(std::max<size_t>(1, at.rfind('/')));
  }
  struct statvfs disk = {};
  uint64_t free = 0;
  if (::statvfs(at.c_str(), &disk) == 0) free = disk.f_bavail * disk.f_frsize;
  const bool writable = ::access(at.c_str(), W_OK) == 0;
  return {.what = "data folder",
          .found = writable && free >= kWanted,
          .needed = true,
          .serves = "everything",
          .detail = !writable
                        ? base::StrCat("'", at,
                                       "' cannot be written; name another "
                                       "with --data")
                        : base::StrCat(folder, ", ", free >> 30,
                                       " GiB free (5 are wanted)")};
}

std::vector<Finding> Examine(const config::Environment& environment,
                             const std::string& folder) {
  std::vector<Finding> out = {
      Disk(folder), Roots(), Namespaces(), Overlay(),
      Program(environment, "runc", true, "jobs", "apt-get install runc")};
  if (::geteuid() != 0) out.push_back(SubordinateIds());
  out.push_back(Program(environment, "mmdebstrap", true,
                        "brume images stand-in", "apt-get install mmdebstrap"));
  constexpr std::string_view kGcloud =
      "https://cloud.google.com/sdk/docs/install";
  out.push_back(
      Program(environment, "gcloud", false, "a client of yours", kGcloud));
  out.push_back(
      Program(environment, "gsutil", false, "a client of yours", kGcloud));
  out.push_back(Program(environment, "docker", false, "a client of yours",
                        "apt-get install docker.io"));
  out.push_back(Program(environment, "python3", false, "Google's SDKs",
                        "apt-get install python3"));
  return out;
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  ASSIGN_OR_RETURN(
      const std::string folder,
      config::DataFolder(invocation.values, invocation.environment));
  const std::vector<Finding> findings = Examine(invocation.environment, folder);
  std::vector<std::vector<std::string>> rows = {
      {"STATE", "WHAT", "FOR", "WHERE IT IS, OR HOW TO GET IT"}};
  json::array list;
  bool complete = true;
  for (const Finding& finding : findings) {
    complete = complete && (finding.found || !finding.needed);
    rows.push_back({finding.found    ? "ok"
                    : finding.needed ? "MISSING"
                                     : "absent",
                    finding.what, finding.serves, finding.detail});
    list.push_back(json::object{{"what", finding.what},
                                {"found", finding.found},
                                {"needed", finding.needed},
                                {"for", finding.serves},
                                {"detail", finding.detail}});
  }
  if (invocation.values.Switch("json")) {
    PrintJson(json::object{{"complete", complete}, {"findings", list}});
  } else {
    Print(Table(rows));
  }
  return complete ? 0 : 1;
}

}  // namespace

Command DoctorCommand() {
  return {.name = "doctor",
          .summary =
              "Say what is missing on this machine and how to get it; "
              "exit code 1 when something of Brume's own will not work.",
          .example = "  brume doctor",
          .settings = {"data", "json"},
          .run = Run};
}

}  // namespace brume::cli
