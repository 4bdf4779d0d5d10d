#pragma once

#include "client/google_api.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::client {

struct TrainingJob {
  std::string name;  // "projects/N/locations/L/customJobs/ID"
  std::string display_name;
  std::string state;        // "JOB_STATE_RUNNING"
  std::string create_time;  // RFC 3339
  std::string start_time;
  std::string end_time;
  std::string error;

  std::string id() const { return name.substr(name.rfind('/') + 1); }
  bool ended() const {
    return state == "JOB_STATE_SUCCEEDED" || state == "JOB_STATE_FAILED" ||
           state == "JOB_STATE_CANCELLED";
  }
};

// What to train with: one replica of a container.
struct TrainingSpec {
  std::string display_name;
  std::string image;
  std::vector<std::string> command;  // empty: the image's
  std::vector<std::string> args;     // empty: the image's
  std::map<std::string, std::string> env;
  std::string machine_type;
  std::string service_account;        // e-mail; empty: the service's own
  std::string base_output_directory;  // gs://...; may be empty
};

// Vertex AI's custom jobs and their lines in Cloud Logging, over the public
// REST APIs. Not thread-safe.
class VertexClient {
 public:
  struct Options {
    GoogleApi* api = nullptr;
    std::string project;
    std::string location;
  };
  explicit VertexClient(Options options) : options_(std::move(options)) {}

  absl::StatusOr<TrainingJob> Create(const TrainingSpec& spec);
  // `job` is an id or a whole name.
  absl::StatusOr<TrainingJob> Get(std::string_view job);
  absl::StatusOr<std::vector<TrainingJob>> List();
  absl::Status Cancel(std::string_view job);

  struct LogLine {
    std::string time;  // RFC 3339
    std::string id;
    std::string task;  // "workerpool0-0", "service"
    std::string severity;
    std::string text;
  };
  // The lines after the given ones ("" for all), oldest first; `last_time` and
  // `last_id` move on.
  absl::Status ReadLog(std::string_view job, std::string* last_time,
                       std::string* last_id,
                       const std::function<void(const LogLine&)>& visit);

 private:
  std::string BaseUrl() const;
  std::string NameOf(std::string_view job) const;

  const Options options_;
};

}  // namespace brume::client
