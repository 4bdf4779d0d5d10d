#include "services/aiplatform/job_log.h"

#include "base/str_cat.h"
#include "services/aiplatform/job_rows.h"
#include "services/aiplatform/proto_time.h"

#include <absl/strings/str_format.h>
#include <google/protobuf/util/json_util.h>

namespace brume::services::aiplatform {
namespace {

using google::logging::v2::LogEntry;

// Bytes that are no UTF-8 become U+FFFD, as the agent's collectors do: log
// texts are UTF-8.
std::string Utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t i = 0;
  while (i < text.size()) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    size_t length = c < 0x80                ? 1
                    : c >= 0xC2 && c < 0xE0 ? 2
                    : c >= 0xE0 && c < 0xF0 ? 3
                    : c >= 0xF0 && c < 0xF5 ? 4
                                            : 0;
    bool valid = length != 0 && i + length <= text.size();
    for (size_t k = 1; valid && k < length; ++k) {
      valid = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
    }
    if (valid && length == 3) {
      const unsigned char second = static_cast<unsigned char>(text[i + 1]);
      // No over-long forms, no surrogates.
      valid = !(c == 0xE0 && second < 0xA0) && !(c == 0xED && second >= 0xA0);
    }
    if (valid && length == 4) {
      const unsigned char second = static_cast<unsigned char>(text[i + 1]);
      valid = !(c == 0xF0 && second < 0x90) && !(c == 0xF4 && second >= 0x90);
    }
    if (valid) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  return out;
}

LogEntry Entry(const JobRecord& record, std::string_view task,
               std::string_view log, absl::Time time, bool error,
               std::string id) {
  const absl::StatusOr<JobName> name = JobName::Parse(record.job().name());
  LogEntry entry;
  entry.set_log_name(
      base::StrCat("projects/", record.project_id(), "/logs/", log));
  auto& resource = *entry.mutable_resource();
  resource.set_type("ml_job");
  auto& labels = *resource.mutable_labels();
  labels["job_id"] = name->id;
  labels["project_id"] = record.project_id();
  labels["task_name"] = std::string(task);
  auto& more = *entry.mutable_labels();
  more["ml.googleapis.com/endpoint"] = "";
  more["ml.googleapis.com/job_id/log_area"] = "root";
  more["ml.googleapis.com/trial_id"] = "";
  more["ml.googleapis.com/trial_type"] = "";
  *entry.mutable_timestamp() = ToProto(time);
  *entry.mutable_receive_timestamp() = ToProto(time);
  entry.set_severity(error ? google::logging::type::ERROR
                           : google::logging::type::INFO);
  entry.set_insert_id(std::move(id));
  return entry;
}

void SetMessage(LogEntry* entry, std::string_view message, bool error) {
  auto& fields = *entry->mutable_json_payload()->mutable_fields();
  fields["message"].set_string_value(std::string(message));
  fields["levelname"].set_string_value(error ? "ERROR" : "INFO");
}

}  // namespace

LogEntry OutputEntry(const JobRecord& record, const exec::OutputLine& line,
                     uint64_t number) {
  const absl::StatusOr<JobName> name = JobName::Parse(record.job().name());
  LogEntry entry =
      Entry(record, "workerpool0-0", "workerpool0-0", line.time, line.is_stderr,
            base::StrCat(name->id, "-", absl::StrFormat("%012d", number)));
  const std::string text = Utf8(line.text);
  // A line that is a JSON object is a structured entry.
  if (!text.empty() && text.front() == '{' && text.back() == '}' &&
      google::protobuf::util::JsonStringToMessage(text,
                                                  entry.mutable_json_payload())
          .ok()) {
    return entry;
  }
  entry.clear_payload();
  SetMessage(&entry, text, line.is_stderr);
  return entry;
}

LogEntry ServiceEntry(const JobRecord& record, std::string_view message,
                      bool error, absl::Time time, std::string_view id) {
  const absl::StatusOr<JobName> name = JobName::Parse(record.job().name());
  LogEntry entry =
      Entry(record, "service", base::StrCat("ml.googleapis.com%2F", name->id),
            time, error, base::StrCat(name->id, "-service-", id));
  entry.set_text_payload(std::string(message));
  return entry;
}

}  // namespace brume::services::aiplatform
