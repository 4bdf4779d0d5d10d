#include "base/rfc3339.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "cli/cloud_client.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/train_script.h"
#include "client/vertex_client.h"

#include <absl/time/clock.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

// brume train: training jobs by Vertex AI's public API.
namespace brume::cli {
namespace {

namespace json = boost::json;
using client::TrainingJob;
using client::VertexClient;

constexpr absl::Duration kPoll = absl::Milliseconds(500);

struct Trainer {
  std::unique_ptr<CloudSession> session;
  std::unique_ptr<CloudSession::Client> client;
  std::optional<VertexClient> vertex;
};

absl::StatusOr<Trainer> OpenTrainer(const Invocation& invocation) {
  Trainer out;
  ASSIGN_OR_RETURN(out.session, CloudSession::Open(invocation, "brume-train"));
  ASSIGN_OR_RETURN(out.client, out.session->NewClient());
  out.vertex.emplace(
      VertexClient::Options{.api = &out.client->api(),
                            .project = out.session->project(),
                            .location = invocation.values.Text("region")});
  return out;
}

std::string ShortState(std::string_view state) {
  constexpr std::string_view kPrefix = "JOB_STATE_";
  if (state.substr(0, kPrefix.size()) == kPrefix) {
    state.remove_prefix(kPrefix.size());
  }
  return std::string(state);
}

Colour ColourOf(std::string_view state) {
  if (state == "JOB_STATE_SUCCEEDED") return Colour::kGreen;
  if (state == "JOB_STATE_FAILED") return Colour::kRed;
  return Colour::kYellow;
}

json::object ToJson(const TrainingJob& job) {
  json::object out = {{"name", job.name},
                      {"displayName", job.display_name},
                      {"state", job.state},
                      {"createTime", job.create_time}};
  if (!job.start_time.empty()) out["startTime"] = job.start_time;
  if (!job.end_time.empty()) out["endTime"] = job.end_time;
  if (!job.error.empty()) out["error"] = job.error;
  return out;
}

void PrintLine(const VertexClient::LogLine& line, bool as_json) {
  if (as_json) {
    PrintJson(json::object{{"time", line.time},
                           {"task", line.task},
                           {"severity", line.severity},
                           {"text", line.text}});
    return;
  }
  // The program's own lines stand out from the service's.
  const std::string text = base::StrCat(line.text, "\n");
  if (line.task == "service") {
    Print(Painted(base::StrCat("[service] ", text), Colour::kDim));
  } else {
    Print(text);
  }
}

// Prints the job's lines until it has ended and said all; its exit code.
absl::StatusOr<int> Follow(Trainer& trainer, std::string_view job,
                           bool as_json) {
  std::string time;
  std::string id;
  while (true) {
    // Asked before the log is read: what came later is read after it.
    ASSIGN_OR_RETURN(const TrainingJob now, trainer.vertex->Get(job));
    RETURN_IF_ERROR(trainer.vertex->ReadLog(
        job, &time, &id,
        [&](const VertexClient::LogLine& line) { PrintLine(line, as_json); }));
    if (now.ended()) {
      if (now.state == "JOB_STATE_SUCCEEDED") return 0;
      PrintError(base::StrCat("job '", now.id(), "' ",
                              now.state == "JOB_STATE_CANCELLED"
                                  ? std::string("was cancelled")
                                  : base::StrCat("failed: ", now.error)));
      return 1;
    }
    trainer.client->api().Sleep(kPoll);
  }
}

absl::StatusOr<int> Submit(const Invocation& invocation,
                           const std::vector<std::string>& args) {
  const config::Values& values = invocation.values;
  const std::string script = values.Text("script");
  if (script.empty() && !values.Has("image")) {
    return absl::InvalidArgumentError(
        "submit job: name what to run, with --script FILE or --image IMAGE");
  }
  ASSIGN_OR_RETURN(Trainer trainer, OpenTrainer(invocation));
  client::TrainingSpec spec;
  spec.image = values.Text("image");
  spec.machine_type = values.Text("machine-type");
  spec.display_name = values.Text("display-name");
  spec.service_account = values.Text("service-account");
  if (!spec.service_account.empty() &&
      spec.service_account.find('@') == std::string::npos) {
    spec.service_account =
        base::StrCat(spec.service_account, "@", trainer.session->project(),
                     ".iam.gserviceaccount.com");
  }
  spec.args = args;
  for (const std::string& variable : values.List("env")) {
    const size_t equals = variable.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          base::StrCat("submit job: '--env ", variable, "' is not NAME=VALUE"));
    }
    spec.env[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  const std::string base = script.substr(script.rfind('/') + 1);
  if (spec.display_name.empty()) {
    spec.display_name = script.empty() ? "training" : base;
  }
  const std::string stamp =
      base::FormatTime(absl::Now(), base::Fraction::kMillis);
  if (!script.empty()) {
    ASSIGN_OR_RETURN(
        const std::string bucket,
        EnsureBucket(trainer.client->api(), trainer.session->project(),
                     values.Text("bucket"), values.Text("region")));
    ASSIGN_OR_RETURN(
        const std::string uri,
        UploadScript(trainer.client->storage(), bucket,
                     base::StrCat("brume-train/", stamp, "/", base), script));
    spec.command = RunScriptCommand(uri);
    spec.base_output_directory =
        base::StrCat("gs://", bucket, "/brume-train/", stamp);
  }
  ASSIGN_OR_RETURN(const TrainingJob job, trainer.vertex->Create(spec));
  if (values.Switch("follow")) {
    PrintNote(base::StrCat("job ", job.id(), " was submitted"));
    return Follow(trainer, job.name, values.Switch("json"));
  }
  if (values.Switch("json")) {
    PrintJson(ToJson(job));
  } else {
    Print(base::StrCat(job.id(), "\n"));
    PrintNote(
        base::StrCat("follow it with 'brume train logs -f ", job.id(), "'"));
  }
  return 0;
}

absl::StatusOr<int> List(const Invocation& invocation) {
  ASSIGN_OR_RETURN(Trainer trainer, OpenTrainer(invocation));
  ASSIGN_OR_RETURN(const std::vector<TrainingJob> jobs, trainer.vertex->List());
  if (invocation.values.Switch("json")) {
    json::array out;
    for (const TrainingJob& job : jobs) out.push_back(ToJson(job));
    PrintJson(out);
    return 0;
  }
  if (jobs.empty()) {
    PrintNote(base::StrCat("no jobs in ", trainer.session->project(), ", ",
                           invocation.values.Text("region")));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"JOB", "NAME", "STATE", "CREATED"}};
  for (const TrainingJob& job : jobs) {
    rows.push_back({job.id(), job.display_name,
                    Painted(ShortState(job.state), ColourOf(job.state)),
                    job.create_time.substr(0, 19)});
  }
  Print(Table(rows));
  return 0;
}

absl::StatusOr<int> Logs(const Invocation& invocation, const std::string& job) {
  ASSIGN_OR_RETURN(Trainer trainer, OpenTrainer(invocation));
  const bool as_json = invocation.values.Switch("json");
  if (invocation.values.Switch("follow")) return Follow(trainer, job, as_json);
  RETURN_IF_ERROR(trainer.vertex->Get(job).status());
  std::string time;
  std::string id;
  RETURN_IF_ERROR(trainer.vertex->ReadLog(
      job, &time, &id,
      [&](const VertexClient::LogLine& line) { PrintLine(line, as_json); }));
  return 0;
}

absl::StatusOr<int> Cancel(const Invocation& invocation,
                           const std::string& job) {
  ASSIGN_OR_RETURN(Trainer trainer, OpenTrainer(invocation));
  RETURN_IF_ERROR(trainer.vertex->Cancel(job));
  PrintNote("the job is being cancelled");
  return 0;
}

absl::StatusOr<int> Run(const Invocation& invocation) {
  std::vector<std::string> operands = invocation.values.operands();
  const std::string action = operands.empty() ? "" : operands[0];
  if (!operands.empty()) operands.erase(operands.begin());
  if (action == "submit") return Submit(invocation, operands);
  if (action == "list" && operands.empty()) return List(invocation);
  if ((action == "logs" || action == "cancel") && operands.size() == 1) {
    return action == "logs" ? Logs(invocation, operands[0])
                            : Cancel(invocation, operands[0]);
  }
  return absl::InvalidArgumentError(
      "train: expected 'submit [-- ARGS...]', 'list', 'logs JOB' or 'cancel "
      "JOB'");
}

}  // namespace

Command TrainCommand() {
  return {.name = "train",
          .summary = "Submit training jobs, list, follow and cancel them.",
          .example =
              "  brume train submit --script train.py -f -- --epochs 5\n"
              "  brume train list\n"
              "  brume train logs -f JOB",
          .operands = "submit [-- ARGS...] | list | logs JOB | cancel JOB",
          .settings = {"script", "image", "follow", "display-name", "bucket",
                       "service-account", "machine-type", "env", "region",
                       "json", "project", "data", "port"},
          .run = Run};
}

}  // namespace brume::cli
