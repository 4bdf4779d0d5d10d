#include "api/admission.h"

#include "services/errors/errors.h"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <gtest/gtest.h>

namespace brume::api {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest()
      : clock_(absl::FromUnixSeconds(1)),
        admission_({
            .authenticate = [](std::string_view token,
                               std::string_view) -> absl::StatusOr<Principal> {
              if (token == "good") {
                return Principal{Principal::Kind::kUser, "u@x", ""};
              }
              return absl::UnauthenticatedError(
                  token == "old" ? "token has expired" : "no such token");
            },
            .find_project =
                [](std::string_view project) -> absl::StatusOr<ProjectRef> {
              if (project == "p" || project == "12")
                return ProjectRef{"p", "12"};
              return absl::NotFoundError("no such project");
            },
            .api_enabled = [](const ProjectRef&, std::string_view service)
                -> absl::StatusOr<bool> { return service != "off"; },
            .record =
                [this](const Admission::Decision& decision) {
                  decisions_.push_back(
                      decision.principal + " " + decision.permission + " " +
                      decision.resource + " " + decision.verdict);
                },
            .mode = "record",
            .clock = &clock_,
        }) {
    subject_.method = "m";
    subject_.service = "s.googleapis.com";
    subject_.permissions = {"a.b.get"};
    subject_.resources = {"projects/p/x/1"};
    subject_.project = "p";
  }

  absl::StatusOr<Call> Admit(std::string_view authorization) {
    Headers headers;
    if (!authorization.empty()) {
      headers.Add("Authorization", std::string(authorization));
    }
    return admission_.Admit(headers, "s.googleapis.com", "https://s", {},
                            subject_);
  }

  static std::string Reason(const absl::Status& status) {
    google::rpc::ErrorInfo info;
    const auto details = services::DetailsOf(status);
    if (details.empty() || !details[0].UnpackTo(&info)) return "";
    return info.reason();
  }

  base::ManualClock clock_;
  std::vector<std::string> decisions_;
  Admission admission_;
  Admission::Subject subject_;
};

TEST_F(AdmissionTest, AKnownCallerIsAdmittedAndRecorded) {
  const auto call = Admit("Bearer good");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->principal.Member(), "user:u@x");
  EXPECT_EQ(call->project_id, "p");
  EXPECT_EQ(call->project_number, "12");
  EXPECT_THAT(decisions_,
              ElementsAre("user:u@x a.b.get projects/p/x/1 unevaluated"));
}

TEST_F(AdmissionTest, WrongAndMissingTokensAreToldApart) {
  EXPECT_THAT(std::string(Admit("").status().message()),
              StartsWith("Request is missing"));
  EXPECT_EQ(Reason(Admit("").status()), "CREDENTIALS_MISSING");
  EXPECT_EQ(Reason(Admit("Bearer old").status()), "ACCESS_TOKEN_EXPIRED");
  for (const char* wrong :
       {"Bearer bad", "Bearer ", "Basic Z29vZA==", "good"}) {
    const absl::Status status = Admit(wrong).status();
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << wrong;
    EXPECT_EQ(Reason(status), "ACCESS_TOKEN_TYPE_UNSUPPORTED") << wrong;
  }
}

TEST_F(AdmissionTest, OnlyNoTokenIsAnonymous) {
  subject_.anonymous_allowed = true;
  EXPECT_EQ(Admit("")->principal.Member(), "allUsers");
  EXPECT_TRUE(absl::IsUnauthenticated(Admit("Bearer bad").status()));
}

TEST_F(AdmissionTest, AnUnknownProjectIsDenied) {
  subject_.project = "q";
  const absl::Status status = Admit("Bearer good").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(), "Permission denied on resource project q.");
  EXPECT_EQ(Reason(status), "CONSUMER_INVALID");
  subject_.project_may_be_unknown = true;
  EXPECT_EQ(Admit("Bearer good")->project_id, "");
}

TEST_F(AdmissionTest, ADisabledApiIsToldButNotRefused) {
  subject_.service = "off";
  EXPECT_TRUE(Admit("Bearer good").ok());
  EXPECT_EQ(decisions_.size(), 2u);
}

}  // namespace
}  // namespace brume::api
