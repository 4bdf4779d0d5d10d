#include "services/logging/log_store.h"

#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::services::logging {
namespace {

namespace v2 = google::logging::v2;
using testing::ElementsAre;

class LogStoreTest : public testing::Test {
 protected:
  LogStoreTest()
      : clock_(absl::FromUnixSeconds(1'000'000)),
        tokens_(*query::PageTokens::Create(kv_)),
        logs_({&kv_, &clock_, tokens_.get(),
               [](std::string_view name) -> absl::StatusOr<LogStore::Project> {
                 if (name == "p" || name == "12") {
                   return LogStore::Project{"p", "12"};
                 }
                 if (name == "q") return LogStore::Project{"q", "13"};
                 return absl::NotFoundError("no such project");
               }}) {}

  absl::Status Write(std::string project, std::string text, int64_t second,
                     std::string id = "") {
    v2::WriteLogEntriesRequest request;
    request.set_log_name("projects/" + project + "/logs/l");
    request.mutable_resource()->set_type("global");
    auto& entry = *request.add_entries();
    entry.set_text_payload(std::move(text));
    if (second > 0) entry.mutable_timestamp()->set_seconds(second);
    entry.set_insert_id(std::move(id));
    return logs_.Write(request).status();
  }

  std::vector<std::string> Read(v2::ListLogEntriesRequest request) {
    std::vector<std::string> out;
    if (request.resource_names().empty()) {
      request.add_resource_names("projects/p");
    }
    while (true) {
      const auto page = logs_.List(request);
      if (!page.ok()) return {std::string(page.status().message())};
      for (const auto& entry : page->entries()) {
        out.push_back(entry.text_payload());
      }
      if (page->next_page_token().empty()) return out;
      request.set_page_token(page->next_page_token());
      out.push_back("|");
    }
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_;
  std::unique_ptr<query::PageTokens> tokens_;
  LogStore logs_;
};

TEST_F(LogStoreTest, ReadsInBothOrdersAndInPages) {
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(Write("p", std::to_string(i), i * 10).ok());
  }
  v2::ListLogEntriesRequest request;
  request.set_page_size(2);
  EXPECT_THAT(Read(request), ElementsAre("1", "2", "|", "3", "4", "|", "5"));
  request.set_order_by("timestamp desc");
  EXPECT_THAT(Read(request), ElementsAre("5", "4", "|", "3", "2", "|", "1"));
  request.set_order_by("severity");
  EXPECT_THAT(Read(request)[0], testing::HasSubstr("Invalid order_by"));
}

TEST_F(LogStoreTest, TimeBoundsAreIncluded) {
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(Write("p", std::to_string(i), i).ok());
  }
  v2::ListLogEntriesRequest request;
  request.set_filter(
      "timestamp>=\"1970-01-01T00:00:02Z\" timestamp<\"1970-01-01T00:00:04Z\"");
  EXPECT_THAT(Read(request), ElementsAre("2", "3"));
  request.set_filter(
      "timestamp>\"1970-01-01T00:00:02Z\" timestamp<=\"1970-01-01T00:00:04Z\"");
  EXPECT_THAT(Read(request), ElementsAre("3", "4"));
  request.set_order_by("timestamp desc");
  EXPECT_THAT(Read(request), ElementsAre("4", "3"));
}

TEST_F(LogStoreTest, StreamingGoesOnAfterAnEntry) {
  ASSERT_TRUE(Write("p", "a", 7, "a").ok());
  ASSERT_TRUE(Write("p", "b", 7, "b").ok());
  ASSERT_TRUE(Write("p", "c", 8, "a").ok());
  v2::ListLogEntriesRequest request;
  request.set_filter(
      "((timestamp=\"1970-01-01T00:00:07Z\" AND insertId>\"a\") OR "
      "timestamp>\"1970-01-01T00:00:07Z\") AND timestamp<\"1970-01-02\"");
  EXPECT_THAT(Read(request), ElementsAre("b", "c"));
}

TEST_F(LogStoreTest, AnEntryWrittenAgainIsOne) {
  ASSERT_TRUE(Write("p", "a", 7, "id").ok());
  ASSERT_TRUE(Write("12", "a", 7, "id").ok());
  EXPECT_THAT(Read({}), ElementsAre("a"));
}

TEST_F(LogStoreTest, ProjectsAreMergedAndKeptApart) {
  ASSERT_TRUE(Write("p", "p1", 1).ok());
  ASSERT_TRUE(Write("q", "q2", 2).ok());
  ASSERT_TRUE(Write("p", "p3", 3).ok());
  EXPECT_THAT(Read({}), ElementsAre("p1", "p3"));
  v2::ListLogEntriesRequest both;
  both.add_resource_names("projects/p");
  both.add_resource_names("projects/q");
  both.set_page_size(1);
  EXPECT_THAT(Read(both), ElementsAre("p1", "|", "q2", "|", "p3"));
}

TEST_F(LogStoreTest, DefaultsAreFilledIn) {
  ASSERT_TRUE(Write("p", "a", 0).ok());
  v2::ListLogEntriesRequest request;
  request.add_resource_names("projects/12");
  const auto page = logs_.List(request);
  ASSERT_EQ(page->entries_size(), 1);
  EXPECT_EQ(page->entries(0).timestamp().seconds(), 1'000'000);
  EXPECT_EQ(page->entries(0).log_name(), "projects/p/logs/l");
  EXPECT_FALSE(page->entries(0).insert_id().empty());
  EXPECT_EQ(page->entries(0).resource().labels().at("project_id"), "p");
  v2::ListLogsRequest logs;
  logs.set_parent("projects/p");
  EXPECT_THAT(logs_.ListLogs(logs)->log_names(),
              ElementsAre("projects/p/logs/l"));
}

TEST_F(LogStoreTest, BadEntriesAreRefusedWholeOrInPart) {
  v2::WriteLogEntriesRequest request;
  request.mutable_resource()->set_type("global");
  request.add_entries()->set_log_name("nonsense");
  request.add_entries()->set_log_name("projects/p/logs/l");
  request.mutable_entries(1)->set_text_payload("kept");
  EXPECT_EQ(logs_.Write(request).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Read({}), ElementsAre());
  request.set_partial_success(true);
  EXPECT_EQ(logs_.Write(request).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Read({}), ElementsAre("kept"));
  EXPECT_EQ(Write("p", "late", 1'000'000 + 90'000).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Write("nowhere", "x", 1).code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace brume::services::logging
