#include "client/google_api.h"

#include "base/clock.h"
#include "client/json_fields.h"
#include "client/scripted_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class GoogleApiTest : public testing::Test {
 protected:
  GoogleApi Api(int attempts = 5) {
    return GoogleApi(
        {.http = &http_,
         .sleep = [this](absl::Duration time) { slept_.push_back(time); },
         .attempts = attempts});
  }

  std::unique_ptr<Transport> transport_ = *Transport::Create({});
  HttpClient http_{transport_.get()};
  std::vector<absl::Duration> slept_;
};

TEST_F(GoogleApiTest, ErrorsHaveTheServicesCodeAndWords) {
  ScriptedServer server(
      {JsonReply(404, R"({"error":{"code":404,"message":"No such thing.",)"
                      R"("status":"NOT_FOUND"}})"),
       JsonReply(412, "precondition")});
  EXPECT_EQ(Api().Call("GET", server.url() + "/v1/x").status(),
            absl::NotFoundError("No such thing."));
  EXPECT_EQ(Api().Call("GET", server.url() + "/v1/x").status(),
            absl::FailedPreconditionError("precondition"));
  EXPECT_THAT(slept_, SizeIs(0));
}

TEST_F(GoogleApiTest, ReadsAreTriedAgainWithGrowingPauses) {
  ScriptedServer server({JsonReply(503, "{}"), JsonReply(500, "{}"), "",
                         JsonReply(200, R"({"a":"7"})")});
  const auto reply = Api().Call("GET", server.url() + "/v1/x");
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(NumberField(*reply, "a"), 7);
  EXPECT_THAT(slept_, ElementsAre(absl::Milliseconds(500), absl::Seconds(1)));
}

TEST_F(GoogleApiTest, WritesAreTriedAgainOnlyWhenTheyWereNotSeen) {
  ScriptedServer server({JsonReply(503, "{}"), JsonReply(500, "{}")});
  const auto reply =
      Api().Call("POST", server.url() + "/v1/x", boost::json::value{{"b", 1}});
  EXPECT_TRUE(absl::IsInternal(reply.status())) << reply.status();
  ASSERT_THAT(server.requests(), SizeIs(2));
  EXPECT_THAT(server.requests()[0], HasSubstr("\r\n\r\n{\"b\":1}"));
}

TEST_F(GoogleApiTest, PagesFollowTheirTokens) {
  ScriptedServer server(
      {JsonReply(200, R"({"items":[1],"nextPageToken":"a b&c"})"),
       JsonReply(200, R"({"items":[2]})")});
  int pages = 0;
  ASSERT_TRUE(
      Api()
          .Pages(server.url() + "/v1/x?pageSize=1",
                 [&](const boost::json::value&) -> absl::StatusOr<bool> {
                   ++pages;
                   return true;
                 })
          .ok());
  EXPECT_EQ(pages, 2);
  EXPECT_THAT(server.requests()[1],
              HasSubstr("GET /v1/x?pageSize=1&pageToken=a%20b%26c HTTP/1.1"));
}

TEST_F(GoogleApiTest, OperationsAreAskedForUntilTheyAreDone) {
  ScriptedServer server(
      {JsonReply(200, R"({"name":"operations/1"})"),
       JsonReply(200, R"({"name":"operations/1","done":true,)"
                      R"("response":{"x":"y"}})"),
       JsonReply(200, R"({"name":"operations/2","done":true,)"
                      R"("error":{"code":7,"message":"no"}})")});
  const auto done = Api().WaitOperation(
      server.url() + "/v1/", boost::json::value{{"name", "operations/1"}},
      absl::Minutes(1));
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(TextField(*done, "x"), "y");
  EXPECT_EQ(Api()
                .WaitOperation(server.url() + "/v1/",
                               boost::json::value{{"name", "operations/2"}},
                               absl::Minutes(1))
                .status(),
            absl::PermissionDeniedError("no"));
}

TEST_F(GoogleApiTest, ChunkedRepliesAndSplitReadsAreWhole) {
  ScriptedServer server(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5\r\n{\"a\":\r\n3\r\n\"b\"\r\n1\r\n}\r\n0\r\n\r\n",
       "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":\"c\"}"});
  const auto chunked = Api().Call("GET", server.url() + "/");
  ASSERT_TRUE(chunked.ok()) << chunked.status();
  EXPECT_EQ(TextField(*chunked, "a"), "b");
  const auto closed = Api().Call("GET", server.url() + "/");
  ASSERT_TRUE(closed.ok()) << closed.status();
  EXPECT_EQ(TextField(*closed, "a"), "c");
}

TEST_F(GoogleApiTest, BodiesGoToTheirWriterAndComeFromTheirReader) {
  ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nDATA"});
  HttpRequest request{.method = "PUT", .url = *ParseUrl(server.url() + "/o")};
  request.length = 300'000;
  size_t given = 0;
  request.reader = [&](char* out, size_t size) -> absl::StatusOr<size_t> {
    std::fill_n(out, size, 'x');
    given += size;
    return size;
  };
  std::string taken;
  const auto reply = Api().Send(request, [&](std::string_view bytes) {
    taken += bytes;
    return absl::OkStatus();
  });
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(taken, "DATA");
  EXPECT_EQ(given, 300'000u);
  EXPECT_THAT(server.requests()[0], HasSubstr("Content-Length: 300000"));
}

TEST_F(GoogleApiTest, PlainHttpGoesThroughAProxyInAbsoluteForm) {
  ScriptedServer server({JsonReply(200, "{}")});
  Transport::Options options;
  options.proxy = *ParseUrl(server.url());
  options.proxy->user = "run";
  options.proxy->password = "token";
  const auto transport = *Transport::Create(std::move(options));
  HttpClient http(transport.get());
  ASSERT_TRUE(
      http.Send({.url = *ParseUrl("http://storage.googleapis.com/a")}).ok());
  EXPECT_THAT(server.requests()[0],
              HasSubstr("GET http://storage.googleapis.com/a HTTP/1.1\r\n"
                        "Host: storage.googleapis.com\r\n"));
  EXPECT_THAT(server.requests()[0],
              HasSubstr("Proxy-Authorization: Basic cnVuOnRva2Vu\r\n"));
}

TEST_F(GoogleApiTest, WhatCannotBeReachedIsSaid) {
  ScriptedServer server({});
  EXPECT_THAT(
      std::string(Api(1).Call("GET", "http://127.0.0.1:1/").status().message()),
      HasSubstr("connect to '127.0.0.1:1'"));
}

}  // namespace
}  // namespace brume::client
