#include "client/vertex_client.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "client/json_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace brume::client {
namespace {

namespace json = boost::json;

constexpr std::string_view kLogging =
    "https://logging.googleapis.com/v2/entries:list";

json::array Texts(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

TrainingJob JobOf(const json::value& value) {
  TrainingJob job;
  job.name = TextField(value, "name");
  job.display_name = TextField(value, "displayName");
  job.state = TextField(value, "state");
  job.create_time = TextField(value, "createTime");
  job.start_time = TextField(value, "startTime");
  job.end_time = TextField(value, "endTime");
  if (const json::value* error = Field(value, "error")) {
    job.error = TextField(*error, "message");
  }
  return job;
}

VertexClient::LogLine LineOf(const json::value& entry) {
  VertexClient::LogLine line;
  line.time = TextField(entry, "timestamp");
  line.id = TextField(entry, "insertId");
  line.severity = TextField(entry, "severity");
  line.text = TextField(entry, "textPayload");
  if (const json::value* payload = Field(entry, "jsonPayload")) {
    line.text = TextField(*payload, "message");
    if (line.text.empty()) line.text = json::serialize(*payload);
  }
  if (const json::value* resource = Field(entry, "resource")) {
    if (const json::value* labels = Field(*resource, "labels")) {
      line.task = TextField(*labels, "task_name");
    }
  }
  return line;
}

}  // namespace

std::string VertexClient::BaseUrl() const {
  return base::StrCat("https://", options_.location,
                      "-aiplatform.googleapis.com/v1/");
}

std::string VertexClient::NameOf(std::string_view job) const {
  if (job.find('/') != std::string_view::npos) return std::string(job);
  return base::StrCat("projects/", options_.project, "/locations/",
                      options_.location, "/customJobs/", job);
}

absl::StatusOr<TrainingJob> VertexClient::Create(const TrainingSpec& spec) {
  json::object container = {{"imageUri", spec.image}};
  if (!spec.command.empty()) container["command"] = Texts(spec.command);
  if (!spec.args.empty()) container["args"] = Texts(spec.args);
  if (!spec.env.empty()) {
    json::array env;
    for (const auto& [name, value] : spec.env) {
      env.push_back(json::object{{"name", name}, {"value", value}});
    }
    container["env"] = std::move(env);
  }
  json::object job_spec = {
      {"workerPoolSpecs",
       json::array{json::object{
           {"machineSpec", json::object{{"machineType", spec.machine_type}}},
           {"replicaCount", "1"},
           {"containerSpec", std::move(container)}}}}};
  if (!spec.service_account.empty()) {
    job_spec["serviceAccount"] = spec.service_account;
  }
  if (!spec.base_output_directory.empty()) {
    job_spec["baseOutputDirectory"] =
        json::object{{"outputUriPrefix", spec.base_output_directory}};
  }
  ASSIGN_OR_RETURN(
      const json::value reply,
      options_.api->Call(
          "POST",
          base::StrCat(BaseUrl(), "projects/", options_.project, "/locations/",
                       options_.location, "/customJobs"),
          json::object{{"displayName", spec.display_name},
                       {"jobSpec", std::move(job_spec)}}));
  return JobOf(reply);
}

absl::StatusOr<TrainingJob> VertexClient::Get(std::string_view job) {
  ASSIGN_OR_RETURN(const json::value reply,
                   options_.api->Call("GET", BaseUrl() + NameOf(job)));
  return JobOf(reply);
}

absl::StatusOr<std::vector<TrainingJob>> VertexClient::List() {
  std::vector<TrainingJob> jobs;
  RETURN_IF_ERROR(options_.api->Pages(
      base::StrCat(BaseUrl(), "projects/", options_.project, "/locations/",
                   options_.location, "/customJobs?pageSize=100"),
      [&](const json::value& page) -> absl::StatusOr<bool> {
        const json::value* items = Field(page, "customJobs");
        if (items != nullptr && items->is_array()) {
          for (const json::value& item : items->get_array()) {
            jobs.push_back(JobOf(item));
          }
        }
        return true;
      }));
  return jobs;
}

absl::Status VertexClient::Cancel(std::string_view job) {
  return options_.api
      ->Call("POST", base::StrCat(BaseUrl(), NameOf(job), ":cancel"),
             json::object())
      .status();
}

absl::Status VertexClient::ReadLog(
    std::string_view job, std::string* last_time, std::string* last_id,
    const std::function<void(const LogLine&)>& visit) {
  const std::string id(job.substr(job.rfind('/') + 1));
  // Entries of one moment are told apart by their ids.
  std::string filter = base::StrCat(
      "resource.type=\"ml_job\" AND resource.labels.job_id=\"", id, "\"");
  if (!last_time->empty()) {
    base::StrAppend(&filter, " AND ((timestamp=\"", *last_time,
                    "\" AND insertId>\"", *last_id, "\") OR timestamp>\"",
                    *last_time, "\") AND timestamp>=\"", *last_time, "\"");
  }
  std::string token;
  do {
    json::object request = {
        {"resourceNames",
         json::array{json::string("projects/" + options_.project)}},
        {"filter", filter},
        {"orderBy", "timestamp asc"},
        {"pageSize", 1000}};
    if (!token.empty()) request["pageToken"] = token;
    ASSIGN_OR_RETURN(
        const json::value page,
        options_.api->Call("POST", std::string(kLogging), std::move(request)));
    const json::value* entries = Field(page, "entries");
    if (entries != nullptr && entries->is_array()) {
      for (const json::value& entry : entries->get_array()) {
        const LogLine line = LineOf(entry);
        visit(line);
        *last_time = line.time;
        *last_id = line.id;
      }
    }
    token = TextField(page, "nextPageToken");
  } while (!token.empty());
  return absl::OkStatus();
}

}  // namespace brume::client
