#include "services/logging/log_store.h"

#include "base/encoding.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "services/logging/log_scan.h"

#include <absl/strings/match.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <map>
#include <set>

namespace brume::services::logging {
namespace {

namespace v2 = google::logging::v2;

constexpr int kDefaultPage = 50;
constexpr int kMaxPage = 1000;
// Quota of entries.write (cloud.google.com/logging/quotas): an entry's size.
constexpr size_t kMaxEntry = 256 * 1024;

// "projects/P/..." -> "P"; empty for other parents.
std::string ProjectOf(std::string_view name) {
  constexpr std::string_view kProjects = "projects/";
  if (name.substr(0, kProjects.size()) != kProjects) return "";
  name.remove_prefix(kProjects.size());
  return std::string(name.substr(0, name.find('/')));
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp out;
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return out;
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

// insertIds as the real service makes them: 13 or so of these characters.
std::string NewInsertId() {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string out;
  for (const char byte : base::RandomBytes(14)) {
    out += kDigits[static_cast<unsigned char>(byte) % kDigits.size()];
  }
  return out;
}

}  // namespace

absl::Status LogStore::Check(const v2::LogEntry& entry) const {
  const std::vector<std::string> parts = absl::StrSplit(entry.log_name(), '/');
  if (entry.log_name().empty()) {
    return InvalidField("log_name", "Log entries must specify a log name.");
  }
  // "projects/P/logs/L" with L percent-encoded; organizations and folders have
  // no logs here.
  if (parts.size() != 4 || parts[0] != "projects" || parts[1].empty() ||
      parts[2] != "logs" || parts[3].empty() || parts[3].size() > 512) {
    return InvalidField(
        "log_name", base::StrCat("Log name \"", entry.log_name(),
                                 "\" is not of the form "
                                 "\"projects/[PROJECT_ID]/logs/[LOG_ID]\"."));
  }
  if (entry.resource().type().empty()) {
    return InvalidField("resource.type",
                        "Log entries must specify a monitored resource type.");
  }
  if (entry.insert_id().size() > 512) {
    return InvalidField("insert_id", "insertId is longer than 512 characters.");
  }
  if (entry.ByteSizeLong() > kMaxEntry) {
    return absl::InvalidArgumentError(base::ToAbsl(
        base::StrCat("Log entry with size ", entry.ByteSizeLong(),
                     " exceeds maximum size of ", kMaxEntry, " bytes.")));
  }
  if (entry.has_timestamp() &&
      FromProto(entry.timestamp()) > options_.clock->Now() + absl::Hours(24)) {
    return InvalidField("timestamp",
                        "Log entry timestamps must not be more than 24 hours "
                        "in the future.");
  }
  return absl::OkStatus();
}

absl::StatusOr<v2::WriteLogEntriesResponse> LogStore::Write(
    const v2::WriteLogEntriesRequest& request) {
  const absl::Time now = options_.clock->Now();
  std::map<std::string, std::vector<v2::LogEntry>> by_project;
  v2::WriteLogEntriesPartialErrors partial;
  absl::Status first_error;
  for (int i = 0; i < request.entries_size(); ++i) {
    v2::LogEntry entry = request.entries(i);
    if (entry.log_name().empty()) entry.set_log_name(request.log_name());
    if (entry.resource().type().empty()) {
      *entry.mutable_resource() = request.resource();
    }
    for (const auto& [key, value] : request.labels()) {
      entry.mutable_labels()->insert({key, value});
    }
    if (const absl::Status status = Check(entry); !status.ok()) {
      auto& error = (*partial.mutable_log_entry_errors())[i];
      error.set_code(static_cast<int>(status.code()));
      error.set_message(std::string(status.message()));
      if (first_error.ok()) first_error = status;
      continue;
    }
    if (!entry.has_timestamp()) {
      // Entries of one request keep their order.
      *entry.mutable_timestamp() = ToProto(now + absl::Nanoseconds(i));
    }
    if (entry.insert_id().empty()) entry.set_insert_id(NewInsertId());
    *entry.mutable_receive_timestamp() = ToProto(now);
    by_project[ProjectOf(entry.log_name())].push_back(std::move(entry));
  }
  if (!first_error.ok() && !request.partial_success()) return first_error;
  for (auto& [name, entries] : by_project) {
    absl::StatusOr<Project> project = options_.find_project(name);
    if (!project.ok()) {
      if (!absl::IsNotFound(project.status())) return project.status();
      return absl::PermissionDeniedError(base::ToAbsl(base::StrCat(
          "Permission 'logging.logEntries.create' denied on resource (or it "
          "may not exist).")));
    }
    for (v2::LogEntry& entry : entries) {
      // Names are kept with the project's id, as the real service shows them.
      const std::string log =
          entry.log_name().substr(entry.log_name().rfind('/') + 1);
      entry.set_log_name(base::StrCat("projects/", project->id, "/logs/", log));
      if (!entry.resource().labels().contains("project_id")) {
        (*entry.mutable_resource()->mutable_labels())["project_id"] =
            project->id;
      }
    }
    if (!request.dry_run()) RETURN_IF_ERROR(Append(*project, entries));
  }
  if (!first_error.ok()) {
    return services::WithDetail(
        absl::InvalidArgumentError(first_error.message()), partial);
  }
  return v2::WriteLogEntriesResponse();
}

absl::Status LogStore::Append(const Project& project,
                              const std::vector<v2::LogEntry>& entries) {
  if (entries.empty()) return absl::OkStatus();
  return options_.kv->Transact([&](store::KvTransaction& txn) -> absl::Status {
    std::set<std::string> logs;
    for (const v2::LogEntry& entry : entries) {
      RETURN_IF_ERROR(PutEntry(txn, project.number, entry));
      logs.insert(entry.log_name());
    }
    for (const std::string& log : logs) {
      RETURN_IF_ERROR(PutLogName(txn, project.number, log));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<v2::ListLogEntriesResponse> LogStore::List(
    const v2::ListLogEntriesRequest& request) {
  if (request.resource_names().empty()) {
    return InvalidField("resource_names",
                        "At least one resource name is required.");
  }
  if (request.page_size() < 0) {
    return InvalidField("page_size", "page_size must not be negative.");
  }
  Order order = Order::kAscending;
  if (request.order_by() == "timestamp desc") {
    order = Order::kDescending;
  } else if (!request.order_by().empty() &&
             request.order_by() != "timestamp asc" &&
             request.order_by() != "timestamp") {
    return InvalidField(
        "order_by", base::StrCat("Invalid order_by '", request.order_by(),
                                 "'; 'timestamp asc' and 'timestamp desc' are "
                                 "supported."));
  }
  ASSIGN_OR_RETURN(
      const query::Filter filter,
      query::Filter::Parse(request.filter(), query::Dialect::kLogging));
  // A filter that no entry could answer is refused before anything is read.
  RETURN_IF_ERROR(filter.Matches(v2::LogEntry()).status());

  std::set<std::string> numbers;
  for (const std::string& name : request.resource_names()) {
    const std::string id = ProjectOf(name);
    if (id.empty()) {
      return InvalidField(
          "resource_names",
          base::StrCat("Resource name \"", name,
                       "\" is not of the form \"projects/[PROJECT_ID]\"."));
    }
    ASSIGN_OR_RETURN(const Project project, options_.find_project(id));
    numbers.insert(project.number);
  }
  const int wanted = request.page_size() == 0
                         ? kDefaultPage
                         : std::min<int>(request.page_size(), kMaxPage);
  std::string after;
  if (!request.page_token().empty()) {
    ASSIGN_OR_RETURN(after,
                     options_.page_tokens->Read(request, request.page_token()));
  }
  ASSIGN_OR_RETURN(
      ScanResult found,
      ScanEntries(*options_.kv->Snapshot(), {numbers.begin(), numbers.end()},
                  filter, order, after, static_cast<size_t>(wanted)));
  v2::ListLogEntriesResponse response;
  for (v2::LogEntry& entry : found.entries) {
    *response.add_entries() = std::move(entry);
  }
  if (found.more) {
    response.set_next_page_token(
        options_.page_tokens->Make(request, found.position));
  }
  return response;
}

absl::StatusOr<v2::ListLogsResponse> LogStore::ListLogs(
    const v2::ListLogsRequest& request) {
  std::vector<std::string> parents = {request.parent()};
  parents.insert(parents.end(), request.resource_names().begin(),
                 request.resource_names().end());
  const size_t wanted = request.page_size() <= 0
                            ? size_t{50}
                            : std::min<size_t>(request.page_size(), 1000);
  std::string after;
  if (!request.page_token().empty()) {
    ASSIGN_OR_RETURN(after,
                     options_.page_tokens->Read(request, request.page_token()));
  }
  std::set<std::string> names;
  for (const std::string& parent : parents) {
    const std::string id = ProjectOf(parent);
    if (id.empty()) continue;
    ASSIGN_OR_RETURN(const Project project, options_.find_project(id));
    RETURN_IF_ERROR(ScanLogNames(*options_.kv->Snapshot(), project.number,
                                 after, wanted + 1, &names));
  }
  v2::ListLogsResponse response;
  for (const std::string& name : names) {
    if (static_cast<size_t>(response.log_names_size()) == wanted) {
      response.set_next_page_token(options_.page_tokens->Make(
          request, response.log_names(response.log_names_size() - 1)));
      break;
    }
    response.add_log_names(name);
  }
  return response;
}

}  // namespace brume::services::logging
