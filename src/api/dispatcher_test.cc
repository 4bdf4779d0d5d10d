#include "api/http_dispatcher.h"
#include "api/json/json.h"
#include "api/rpc_dispatcher.h"
#include "services/errors/errors.h"

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <google/iam/admin/v1/iam.pb.h>
#include <google/longrunning/operations.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

namespace brume::api {
namespace {

namespace iam = google::iam::admin::v1;
using testing::HasSubstr;

// Operations.WaitOperation over a wait that the test ends.
class TestPending final : public Pending {
 public:
  explicit TestPending(std::function<void()>* wake) : wake_(wake) {}
  void Subscribe(std::function<void()> wake) override {
    *wake_ = std::move(wake);
  }
  absl::StatusOr<AnyReply> Resume() override {
    auto operation = std::make_unique<google::longrunning::Operation>();
    operation->set_name("operations/1");
    operation->set_done(true);
    return AnyReply(AnyMessage(std::move(operation)));
  }

 private:
  std::function<void()>* wake_;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest()
      : clock_(absl::FromUnixSeconds(1)),
        admission_({
            .authenticate = [](std::string_view token,
                               std::string_view) -> absl::StatusOr<Principal> {
              if (token != "good") return absl::UnauthenticatedError("no");
              return Principal{Principal::Kind::kUser, "u@x", ""};
            },
            .find_project = [](std::string_view) -> absl::StatusOr<ProjectRef> {
              return ProjectRef{"p", "12"};
            },
            .api_enabled = [](const ProjectRef&, std::string_view)
                -> absl::StatusOr<bool> { return true; },
            .record =
                [this](const Admission::Decision& d) {
                  recorded_.push_back(d.permission + "@" + d.resource);
                },
            .mode = "record",
            .clock = &clock_,
        }) {
    table_.Add(Row<iam::CreateServiceAccountRequest, iam::ServiceAccount>(
        "google.iam.admin.v1.IAM.CreateServiceAccount",
        Access::Permission("iam.serviceAccounts.create", "name"),
        [](const Call& call, const iam::CreateServiceAccountRequest& request)
            -> absl::StatusOr<iam::ServiceAccount> {
          if (request.account_id() == "taken") {
            return services::WithReason(absl::AlreadyExistsError("taken"),
                                        "TAKEN", "test");
          }
          iam::ServiceAccount out = request.service_account();
          out.set_name(request.name() + "/" + request.account_id());
          out.set_project_id(call.project_id);
          return out;
        }));
    table_.Add(WaitingRow<google::longrunning::WaitOperationRequest,
                          google::longrunning::Operation>(
        "google.longrunning.Operations.WaitOperation", Access::None("test"),
        [this](const Call&, const google::longrunning::WaitOperationRequest&)
            -> absl::StatusOr<AnyReply> {
          return AnyReply(std::make_unique<TestPending>(&wake_));
        }));
  }

  Outcome Send(std::string method, std::string host, std::string target,
               std::string body, std::string token = "good") {
    HttpDispatcher dispatcher({&table_, &admission_, {}});
    RequestHead head;
    head.method = std::move(method);
    head.host = std::move(host);
    head.target = std::move(target);
    if (!token.empty()) head.headers.Add("authorization", "Bearer " + token);
    Begun begun = dispatcher.Begin(std::move(head));
    if (auto* response = std::get_if<Response>(&begun)) {
      return std::move(*response);
    }
    auto& sink = std::get<std::unique_ptr<BodySink>>(begun);
    if (auto refused = sink->Write(body)) return *std::move(refused);
    return sink->Finish();
  }

  static std::string Body(const Outcome& outcome) {
    const auto& response = std::get<Response>(outcome);
    return std::to_string(response.status) + " " +
           std::get<std::string>(response.body);
  }

  std::string Create(std::string body, std::string query = "?prettyPrint=false",
                     std::string token = "good") {
    return Body(Send("POST", "iam.googleapis.com",
                     "/v1/projects/p/serviceAccounts" + query, std::move(body),
                     std::move(token)));
  }

  base::ManualClock clock_;
  std::vector<std::string> recorded_;
  std::function<void()> wake_;
  Admission admission_;
  MethodTable table_;
};

TEST_F(DispatcherTest, RestEndsInTheRow) {
  EXPECT_EQ(
      Create(R"({"accountId":"a","service_account":{"displayName":"d"}})"),
      R"(200 {"name":"projects/p/a","projectId":"p","displayName":"d"})");
  EXPECT_THAT(recorded_,
              testing::ElementsAre("iam.serviceAccounts.create@projects/p"));
}

TEST_F(DispatcherTest, RepliesArePrettyUnlessAsked) {
  EXPECT_EQ(Create(R"({"accountId":"a"})", "?fields=name"),
            "200 {\n  \"name\": \"projects/p/a\"\n}\n");
  EXPECT_EQ(Create(R"({"accountId":"a"})", "?fields=name&prettyPrint=false"),
            "200 {\"name\":\"projects/p/a\"}");
}

TEST_F(DispatcherTest, FaultsNameTheField) {
  EXPECT_THAT(Create(R"({"accountId":"a","nope":1})"),
              HasSubstr(R"(Unknown name \"nope\": Cannot find field.)"));
  EXPECT_THAT(Create(R"({"accountId":"a"})", "?nope=1"),
              HasSubstr("Cannot bind query parameter"));
  EXPECT_THAT(Create("{", "?prettyPrint=false"), HasSubstr("400 "));
  EXPECT_THAT(Create("{}", "?x=%zz"), HasSubstr("400 "));
}

TEST_F(DispatcherTest, ErrorsCarryTheirDetails) {
  EXPECT_EQ(Create(R"({"accountId":"taken"})"),
            R"(409 {"error":{"code":409,"message":"taken","status":)"
            R"("ALREADY_EXISTS","details":[{"@type":"type.googleapis.com/)"
            R"(google.rpc.ErrorInfo","reason":"TAKEN","domain":"test"}]}})");
}

TEST_F(DispatcherTest, NobodyIsServedWithoutAToken) {
  EXPECT_THAT(Create("not even JSON", "", ""), HasSubstr("401 "));
  EXPECT_THAT(Create("{}", "?access_token=bad", ""), HasSubstr("401 "));
  EXPECT_THAT(Create(R"({"accountId":"a"})", "?access_token=good", ""),
              HasSubstr("200 "));
}

TEST_F(DispatcherTest, WhatIsNotServedSaysSo) {
  const std::string reply =
      Body(Send("GET", "iam.googleapis.com", "/v1/projects/p/roles", ""));
  EXPECT_THAT(reply, HasSubstr("400 "));
  EXPECT_THAT(reply, HasSubstr("METHOD_NOT_SERVED"));
  EXPECT_THAT(reply, HasSubstr("google.iam.admin.v1.IAM.ListRoles"));
  EXPECT_THAT(Body(Send("GET", "iam.googleapis.com", "/v1/nothing", "")),
              HasSubstr("404 "));
}

TEST_F(DispatcherTest, TooLongABodyIsRefused) {
  EXPECT_THAT(Create(std::string(5 << 20, ' ')), HasSubstr("413 "));
}

TEST_F(DispatcherTest, AHandlerMayWait) {
  Outcome outcome = Send("POST", "aiplatform.googleapis.com",
                         "/ui/projects/p/locations/l/operations/1:wait", "");
  auto& wait = std::get<std::unique_ptr<Wait>>(outcome);
  bool woken = false;
  wait->Subscribe([&woken] { woken = true; });
  wake_();
  EXPECT_TRUE(woken);
  EXPECT_THAT(Body(wait->Resume()), HasSubstr("\"done\": true"));
}

TEST_F(DispatcherTest, RpcEndsInTheSameRow) {
  RpcDispatcher dispatcher(table_, admission_);
  iam::CreateServiceAccountRequest request;
  request.set_name("projects/p");
  request.set_account_id("taken");
  RpcHead head;
  head.method = "google.iam.admin.v1.IAM.CreateServiceAccount";
  head.host = "iam.googleapis.com";
  head.metadata.Add("authorization", "Bearer good");
  const auto reply =
      std::get<RpcReply>(dispatcher.Call(head, request.SerializeAsString()));
  EXPECT_EQ(reply.status.code(), absl::StatusCode::kAlreadyExists);
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(reply.status_details));
  EXPECT_EQ(status.details_size(), 1);

  head.method = "google.iam.admin.v1.IAM.ListRoles";
  EXPECT_EQ(std::get<RpcReply>(dispatcher.Call(head, "")).status.code(),
            absl::StatusCode::kUnimplemented);
  head.method = "google.iam.admin.v1.IAM.CreateServiceAccount";
  EXPECT_EQ(std::get<RpcReply>(dispatcher.Call(head, "\xff")).status.code(),
            absl::StatusCode::kInvalidArgument);
  head.metadata.Set("authorization", "Bearer bad");
  EXPECT_EQ(std::get<RpcReply>(dispatcher.Call(head, "")).status.code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(MethodTest, ProjectsOfResources) {
  EXPECT_EQ(ProjectOf("projects/p/locations/l"), "p");
  EXPECT_EQ(ProjectOf("p"), "p");
  EXPECT_EQ(ProjectOf("projects/-/serviceAccounts/a@p.iam.gserviceaccount.com"),
            "p");
  EXPECT_EQ(ProjectOf("projects/-/serviceAccounts/a@p.iam.gserviceaccount.com"
                      ":signBlob"),
            "");
  EXPECT_EQ(ProjectOf("projects/-/serviceAccounts/123"), "");
  EXPECT_EQ(ProjectOf("organizations/1"), "");
}

}  // namespace
}  // namespace brume::api
