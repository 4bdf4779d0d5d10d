#include "api/json/proto_reader.h"

#include "api/json/json.h"
#include "api/json/proto_writer.h"
#include "services/errors/errors.h"

#include <gmock/gmock.h>
#include <google/iam/admin/v1/iam.pb.h>
#include <google/logging/v2/log_entry.pb.h>
#include <google/logging/v2/logging.pb.h>
#include <google/rpc/error_details.pb.h>
#include <gtest/gtest.h>

namespace brume::api {
namespace {

using testing::HasSubstr;

template <typename Message>
absl::Status Read(std::string_view text, Message* message) {
  const auto value = ParseJson(text);
  if (!value.ok()) return value.status();
  ProtoReader reader;
  reader.ReadMessage(*value, "", message);
  return reader.Finish();
}

template <typename Message>
std::string Written(const Message& message) {
  const auto value = WriteJson(message, false);
  return value.ok() ? PrintJson(*value, false)
                    : std::string(value.status().message());
}

TEST(ProtoReaderTest, TakesBothSpellingsAndNulls) {
  google::iam::admin::v1::CreateServiceAccountRequest request;
  ASSERT_TRUE(Read(R"({"accountId":"a","service_account":{"displayName":"d",
      "description":null}})",
                   &request)
                  .ok());
  EXPECT_EQ(request.account_id(), "a");
  EXPECT_EQ(request.service_account().display_name(), "d");
}

TEST(ProtoReaderTest, NamesUnknownFieldsWithTheirPath) {
  google::iam::admin::v1::CreateServiceAccountRequest request;
  const absl::Status status =
      Read(R"({"nope":1,"serviceAccount":{"alsoNope":{}}})", &request);
  EXPECT_EQ(status.message(),
            "Invalid JSON payload received. Unknown name \"nope\": Cannot find "
            "field.\nInvalid JSON payload received. Unknown name \"alsoNope\" "
            "at 'service_account': Cannot find field.");
  google::rpc::BadRequest bad;
  const auto details = services::DetailsOf(status);
  ASSERT_EQ(details.size(), 1u);
  ASSERT_TRUE(details[0].UnpackTo(&bad));
  ASSERT_EQ(bad.field_violations_size(), 2);
  EXPECT_EQ(bad.field_violations(1).field(), "service_account");
}

TEST(ProtoReaderTest, ReadsEveryShapeOfALogEntry) {
  google::logging::v2::WriteLogEntriesRequest request;
  const absl::Status status = Read(R"({
      "logName":"projects/p/logs/l","resource":{"type":"ml_job","labels":{"job_id":"1"}},
      "entries":[{"severity":"ERROR","timestamp":"2026-01-02T03:04:05.5Z",
                  "jsonPayload":{"message":"m","n":1.5,"null":null,"list":[1,"x"]}},
                 {"severity":200,"textPayload":"t",
                  "httpRequest":{"requestSize":"12","responseSize":7,"latency":"1.5s"}}]})",
                                   &request);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(request.entries(0).severity(), google::logging::type::ERROR);
  EXPECT_EQ(request.entries(0).timestamp().nanos(), 500000000);
  EXPECT_EQ(request.entries(1).severity(), google::logging::type::INFO);
  EXPECT_EQ(request.entries(1).http_request().request_size(), 12);
  EXPECT_EQ(request.resource().labels().at("job_id"), "1");
  EXPECT_THAT(Written(request),
              HasSubstr(R"("timestamp":"2026-01-02T03:04:05.500Z")"));
  EXPECT_THAT(Written(request), HasSubstr(R"("requestSize":"12")"));
}

TEST(ProtoReaderTest, TellsWrongValuesWithTheirTypes) {
  google::logging::v2::ListLogEntriesRequest list;
  EXPECT_EQ(Read(R"({"pageSize":"many"})", &list).message(),
            "Invalid value at 'page_size' (TYPE_INT32), \"many\"");
  EXPECT_EQ(Read(R"({"filter":["x"]})", &list).message(),
            "Invalid JSON payload received. Unknown name \"filter\": Proto "
            "field is not repeating, cannot start list.");
  google::logging::v2::LogEntry entry;
  EXPECT_EQ(Read(R"({"severity":"LOUD"})", &entry).message(),
            "Invalid value at 'severity' "
            "(type.googleapis.com/google.logging.type.LogSeverity), \"LOUD\"");
  EXPECT_THAT(
      std::string(
          Read(R"({"textPayload":"a","jsonPayload":{}})", &entry).message()),
      HasSubstr("oneof field 'payload' is already set. Cannot set "
                "'jsonPayload'"));
  EXPECT_THAT(
      std::string(Read(R"({"timestamp":"yesterday"})", &entry).message()),
      HasSubstr("Invalid time format: yesterday"));
}

TEST(ProtoReaderTest, BindsParameters) {
  google::logging::v2::ListLogEntriesRequest list;
  ProtoReader reader;
  reader.ReadParameter("resourceNames", "projects/a", &list);
  reader.ReadParameter("resource_names", "projects/b", &list);
  reader.ReadParameter("pageSize", "7", &list);
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_EQ(list.resource_names_size(), 2);
  EXPECT_EQ(list.page_size(), 7);
  reader.ReadParameter("nope", "7", &list);
  EXPECT_EQ(reader.Finish().message(),
            "Invalid JSON payload received. Unknown name \"nope\": Cannot bind "
            "query parameter. Field 'nope' could not be found in request "
            "message.");
}

TEST(ProtoReaderTest, BindsNestedParameters) {
  google::logging::v2::WriteLogEntriesRequest request;
  ProtoReader reader;
  reader.ReadParameter("resource.type", "global", &request);
  reader.ReadParameter("resource.labels.project_id", "p", &request);
  EXPECT_TRUE(reader.Finish().ok()) << reader.Finish();
  EXPECT_EQ(request.resource().type(), "global");
  EXPECT_EQ(request.resource().labels().at("project_id"), "p");
}

}  // namespace
}  // namespace brume::api
