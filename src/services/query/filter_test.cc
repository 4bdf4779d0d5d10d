#include "services/query/filter.h"

#include <gmock/gmock.h>
#include <google/cloud/aiplatform/v1/custom_job.pb.h>
#include <google/cloud/resourcemanager/v3/projects.pb.h>
#include <google/logging/v2/log_entry.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

namespace brume::services::query {
namespace {

google::logging::v2::LogEntry Entry() {
  google::logging::v2::LogEntry entry;
  const auto status = google::protobuf::util::JsonStringToMessage(R"({
    "logName":"projects/p/logs/workerpool0-0",
    "resource":{"type":"ml_job","labels":{"job_id":"42","task_name":"workerpool0-0"}},
    "timestamp":"2026-01-02T03:04:05.5Z","severity":"ERROR",
    "labels":{"compute.googleapis.com/zone":"us-central1-a"},
    "jsonPayload":{"message":"Epoch 3: Accuracy 0.9","n":5,"deep":{"list":["x","y"]},"ok":true},
    "httpRequest":{"status":404,"latency":"1.5s"}})",
                                                                  &entry);
  EXPECT_TRUE(status.ok()) << status.message();
  return entry;
}

std::string Logging(std::string_view text) {
  const auto filter = Filter::Parse(text, Dialect::kLogging);
  if (!filter.ok()) return std::string(filter.status().message());
  const auto matches = filter->Matches(Entry());
  if (!matches.ok()) return std::string(matches.status().message());
  return *matches ? "yes" : "no";
}

TEST(FilterTest, ComparesByTheFieldsKind) {
  for (const char* yes :
       {"severity>=WARNING", "severity=error", "severity>=400",
        "timestamp>=\"2026-01-02T03:04:05Z\"", "timestamp<\"2026-01-03\"",
        "timestamp>=2026-01-02T03:04:05.000Z", "httpRequest.status=404",
        "http_request.latency>1s", "jsonPayload.n>4.5", "jsonPayload.ok=true",
        "jsonPayload.deep.list=y", "resource.labels.job_id=\"42\"",
        "resource.type=ML_JOB", "labels.\"compute.googleapis.com/zone\":us",
        "logName=projects/p/logs/workerpool0-0", "jsonPayload.message:accuracy",
        "labels:*", "resource.labels:task_name", ""}) {
    EXPECT_EQ(Logging(yes), "yes") << yes;
  }
  for (const char* no :
       {"severity<ERROR", "timestamp>\"2026-01-03T00:00:00Z\"",
        "jsonPayload.none=1", "jsonPayload.none:*", "textPayload:a",
        "resource.labels.job_id=43", "protoPayload.serviceName=x",
        "resource.labels:nothing"}) {
    EXPECT_EQ(Logging(no), "no") << no;
  }
}

TEST(FilterTest, OrBindsTighterThanAnd) {
  EXPECT_EQ(Logging("severity=INFO OR severity=ERROR AND resource.type=ml_job"),
            "yes");
  EXPECT_EQ(Logging("resource.type=no AND severity=ERROR OR severity=INFO"),
            "no");
  EXPECT_EQ(Logging("(resource.type=no AND severity=INFO) OR severity=ERROR"),
            "yes");
  EXPECT_EQ(Logging("NOT severity=INFO -resource.type=other"), "yes");
  EXPECT_EQ(Logging("resource.type!=other"), "yes");
  EXPECT_EQ(Logging("severity=(INFO OR ERROR)"), "yes");
  EXPECT_EQ(Logging("severity=(INFO OR WARNING)"), "no");
}

TEST(FilterTest, NewlinesAreAndInLogging) {
  EXPECT_EQ(Logging("severity=ERROR\n\nresource.type=ml_job\n"), "yes");
  EXPECT_EQ(Logging("severity=ERROR\nresource.type=no"), "no");
  EXPECT_EQ(Logging("resource.type=no\nOR severity=ERROR"), "yes");
  EXPECT_EQ(Logging("-- all errors\nseverity=ERROR"), "yes");
}

TEST(FilterTest, RegularExpressionsAreLoggings) {
  EXPECT_EQ(Logging(R"(jsonPayload.message=~"Epoch \d+")"), "yes");
  EXPECT_EQ(Logging(R"(jsonPayload.message!~"^Epoch")"), "no");
  EXPECT_THAT(Logging(R"(jsonPayload.message=~"(")"),
              testing::HasSubstr("invalid regular expression"));
  EXPECT_FALSE(Filter::Parse("a=~b", Dialect::kAip160).ok());
}

TEST(FilterTest, BareWordsAreLookedForEverywhere) {
  EXPECT_EQ(Logging("accuracy"), "yes");
  EXPECT_EQ(Logging("\"epoch 3\""), "yes");
  EXPECT_EQ(Logging("nothing"), "no");
}

TEST(FilterTest, FaultsNameTheirPlace) {
  EXPECT_THAT(Logging("log_id(\"x\")"),
              testing::HasSubstr("function 'log_id' is not supported"));
  EXPECT_EQ(Logging("severity="),
            "Unparseable filter: a value must follow the operator at character "
            "10.");
  EXPECT_EQ(Logging("\"open"),
            "Unparseable filter: unclosed quote at "
            "character 1.");
  EXPECT_THAT(Logging("nope=1"), testing::HasSubstr("'nope' is not known"));
  EXPECT_THAT(Logging("severity=LOUD"), testing::HasSubstr("'LOUD'"));
  EXPECT_FALSE(Filter::Parse(std::string(500, '('), Dialect::kAip160).ok());
  for (const char* bad :
       {"AND a=b", "a=b AND", "a=b OR", "(a=b", "a=b)", "a..b=c", "NOT"}) {
    EXPECT_FALSE(Filter::Parse(bad, Dialect::kAip160).ok()) << bad;
  }
}

TEST(FilterTest, AipFiltersJobs) {
  google::cloud::aiplatform::v1::CustomJob job;
  job.set_display_name("My job");
  job.set_state(google::cloud::aiplatform::v1::JOB_STATE_RUNNING);
  job.mutable_create_time()->set_seconds(1000);
  (*job.mutable_labels())["env"] = "dev";
  const auto matches = [&](std::string_view text) {
    const auto filter = Filter::Parse(text, Dialect::kAip160);
    return filter.ok() && *filter->Matches(job);
  };
  EXPECT_TRUE(
      matches("state=\"JOB_STATE_RUNNING\" AND display_name=\"My job\""));
  EXPECT_TRUE(matches("display_name=\"My*\""));
  EXPECT_FALSE(matches("display_name=\"my job\""));
  EXPECT_TRUE(matches("NOT display_name=\"other\""));
  EXPECT_TRUE(matches("labels.env=dev"));
  EXPECT_TRUE(matches("createTime<\"2020-01-01T00:00:00Z\""));
  EXPECT_TRUE(matches("state!=\"JOB_STATE_FAILED\""));
}

TEST(FilterTest, ResourceManagersWordsMatchWithStars) {
  google::cloud::resourcemanager::v3::Project project;
  project.set_project_id("my-project");
  project.set_state(google::cloud::resourcemanager::v3::Project::ACTIVE);
  (*project.mutable_labels())["color"] = "red";
  const auto matches = [&](std::string_view text) {
    auto filter = Filter::Parse(text, Dialect::kResourceManagerV1);
    if (!filter.ok()) return false;
    filter->set_aliases({{"id", "project_id"}, {"lifecycleState", "state"}});
    return *filter->Matches(project);
  };
  EXPECT_TRUE(matches("id:my-project lifecycleState:ACTIVE"));
  EXPECT_TRUE(matches("id:MY-*"));
  EXPECT_FALSE(matches("id:my"));
  EXPECT_TRUE(matches("labels.color:red"));
  EXPECT_TRUE(matches("labels.color:*"));
  EXPECT_FALSE(matches("labels.size:*"));
  EXPECT_TRUE(matches("id:other OR id:my-project"));
}

TEST(FilterTest, TimestampsNarrowAScan) {
  const auto filter = Filter::Parse(
      "timestamp>=\"2026-01-02T00:00:00Z\" AND timestamp<\"2026-01-03\" AND x",
      Dialect::kLogging);
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(absl::ToUnixSeconds(filter->TimestampRange().from), 1767312000);
  EXPECT_EQ(absl::ToUnixSeconds(filter->TimestampRange().to), 1767398400);
  const auto either =
      Filter::Parse("timestamp>=\"2026-01-02\" OR a=b", Dialect::kLogging);
  EXPECT_EQ(either->TimestampRange().from, absl::InfinitePast());
}

}  // namespace
}  // namespace brume::services::query
