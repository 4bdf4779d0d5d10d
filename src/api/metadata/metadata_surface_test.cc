#include "api/metadata/metadata_surface.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace brume::api::metadata {
namespace {

constexpr char kEmail[] = "ml@my-project.iam.gserviceaccount.com";

class MetadataSurfaceTest : public testing::Test {
 protected:
  RequestHead Head(const std::string& target) {
    RequestHead head;
    head.method = "GET";
    head.host = "metadata.google.internal";
    head.target = target;
    head.headers.Add("Metadata-Flavor", "Google");
    head.origin.via = Origin::Via::kMetadata;
    head.origin.account = kEmail;
    head.origin.project = "my-project";
    head.origin.run = "job/42";
    return head;
  }
  Response Get(RequestHead head) {
    Begun begun = surface_.Begin(std::move(head));
    EXPECT_TRUE(std::holds_alternative<Response>(begun));
    return std::move(std::get<Response>(begun));
  }
  Response Get(const std::string& path) {
    return Get(Head("/computeMetadata/v1/" + path));
  }
  std::string Body(const std::string& path) {
    const Response response = Get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.headers.Get("Metadata-Flavor"), "Google");
    return std::get<std::string>(response.body);
  }

  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  int minted_ = 0;
  MetadataSurface surface_{
      {.find_project =
           [](std::string_view project) -> absl::StatusOr<ProjectRef> {
         if (project != "my-project") return absl::NotFoundError("none");
         return ProjectRef{"my-project", "123456789012"};
       },
       .project_of_account =
           [](std::string_view email) -> absl::StatusOr<std::string> {
         if (email != kEmail) return absl::NotFoundError("none");
         return std::string("my-project");
       },
       .mint = [this](std::string_view email,
                      const std::vector<std::string>& scopes)
           -> absl::StatusOr<Token> {
         ++minted_;
         return Token{"ya29.c." + std::string(email) + "." +
                          std::to_string(scopes.size()),
                      clock_.Now() + absl::Hours(1)};
       },
       .identity = [](std::string_view email, std::string_view audience,
                      bool full) -> absl::StatusOr<std::string> {
         return std::string(audience) + (full ? " " + std::string(email) : "");
       },
       .clock = &clock_}};
};

TEST_F(MetadataSurfaceTest, TellsProjectAndInstance) {
  EXPECT_EQ(Body("project/project-id"), "my-project");
  EXPECT_EQ(Body("project/numeric-project-id"), "123456789012");
  EXPECT_EQ(Body("universe/universe-domain"), "googleapis.com");
  EXPECT_EQ(Body("instance/zone"), "projects/123456789012/zones/us-central1-a");
  EXPECT_EQ(Body("instance/name"), "job-42");
  EXPECT_EQ(Body("instance/hostname"),
            "job-42.us-central1-a.c.my-project.internal");
  EXPECT_EQ(Body("instance/id"), Body("instance/id"));
  EXPECT_EQ(Body("instance/attributes/"), "");
  EXPECT_EQ(Body("instance/network-interfaces/"), "0/\n");
  EXPECT_EQ(Body("instance/network-interfaces/0/ip"), "10.128.0.2");
  EXPECT_EQ(Body(""), "instance/\nproject/\nuniverse/\n");
  for (const char* missing :
       {"nope", "instance/attributes/cluster-name", "project/projectId",
        "instance/zone/", "instance/zone/x", "project/%zz",
        "instance/network-interfaces/1/ip", "instance/network-interfaces/00/",
        "instance/network-interfaces/0/ipv6s",
        "instance/service-accounts/who@x.com/token", "../../etc/passwd"}) {
    EXPECT_EQ(Get(missing).status, 404) << missing;
  }
}

TEST_F(MetadataSurfaceTest, TellsTheAccountAndItsTokens) {
  const std::string accounts = std::string(kEmail) + "/\ndefault/\n";
  EXPECT_EQ(Body("instance/service-accounts/"), accounts);
  EXPECT_EQ(Body("instance/service-accounts"), accounts);  // gsutil
  EXPECT_EQ(Body("instance/service-accounts/default/email"), kEmail);
  EXPECT_EQ(Body("instance/service-accounts/default/scopes"),
            "https://www.googleapis.com/auth/cloud-platform\n"
            "https://www.googleapis.com/auth/userinfo.email");
  EXPECT_EQ(Body("instance/service-accounts/default/"),
            "aliases\nemail\nidentity\nscopes\ntoken\n");
  const auto info = boost::json::parse(
      Body("instance/service-accounts/default/?recursive=true"));
  EXPECT_EQ(info.at("email").as_string(), kEmail);
  EXPECT_EQ(info.at("aliases").as_array().size(), 1U);

  const auto token =
      boost::json::parse(Body("instance/service-accounts/default/token"));
  EXPECT_EQ(token.at("token_type").as_string(), "Bearer");
  EXPECT_EQ(token.at("expires_in").as_int64(), 3600);
  EXPECT_EQ(Body(std::string("instance/service-accounts/") + kEmail +
                 "/identity?audience=https://x&format=full"),
            std::string("https://x ") + kEmail);
  EXPECT_EQ(Body("instance/service-accounts/default/identity?audience=a&"
                 "format=standard"),
            "a");
  EXPECT_EQ(Get("instance/service-accounts/default/identity").status, 400);
}

TEST_F(MetadataSurfaceTest, OneTokenServesAllUntilItNearsItsEnd) {
  const char* path = "instance/service-accounts/default/token";
  const std::string first = Body(path);
  clock_.Advance(absl::Minutes(54));
  EXPECT_EQ(boost::json::parse(Body(path)).at("expires_in").as_int64(), 360);
  EXPECT_EQ(minted_, 1);
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(boost::json::parse(Body(path)).at("expires_in").as_int64(), 3600);
  EXPECT_EQ(minted_, 2);
  const std::string narrow = Body(std::string(path) + "?scopes=https://a,b,c");
  EXPECT_NE(narrow.find(".3\""), std::string::npos);
  EXPECT_EQ(minted_, 3);
}

TEST_F(MetadataSurfaceTest, TheWholeTreeIsJsonOrText) {
  const auto tree = boost::json::parse(Body("?recursive=true&alt=json"));
  EXPECT_EQ(tree.at("project").at("numericProjectId").as_int64(), 123456789012);
  EXPECT_EQ(tree.at("instance")
                .at("serviceAccounts")
                .at("default")
                .at("email")
                .as_string(),
            kEmail);
  const std::string text = Body("project/?recursive=true&alt=text");
  EXPECT_NE(text.find("numeric-project-id 123456789012\n"), std::string::npos);
  EXPECT_EQ(Body("project/project-id?alt=json"), "\"my-project\"");
}

TEST_F(MetadataSurfaceTest, DirectoriesWithoutASlashRedirect) {
  const Response response = Get("project?recursive=true");
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(response.headers.Get("Location"),
            "/computeMetadata/v1/project/?recursive=true");
}

TEST_F(MetadataSurfaceTest, RequestsOfOthersAreRefused) {
  RequestHead head = Head("/computeMetadata/v1/project/project-id");
  head.headers = Headers();
  EXPECT_EQ(Get(head).status, 403);
  head.headers.Add("X-Google-Metadata-Request", "True");
  EXPECT_EQ(Get(head).status, 200);
  head.headers.Add("X-Forwarded-For", "10.0.0.1");
  EXPECT_EQ(Get(head).status, 403);
  head = Head("/");
  head.headers = Headers();
  EXPECT_EQ(Get(head).status, 200) << "the ping";
  head = Head("/computeMetadata/v1/project/project-id");
  head.method = "POST";
  EXPECT_EQ(Get(head).status, 405);
}

TEST_F(MetadataSurfaceTest, WithoutAnAccountNothingIsThere) {
  for (const char* path : {"/", "/computeMetadata/v1/project/project-id"}) {
    RequestHead head = Head(path);
    head.origin.account.clear();
    const Response response = Get(head);
    EXPECT_EQ(response.status, 404);
    EXPECT_FALSE(response.headers.Has("Metadata-Flavor"));
  }
  RequestHead head = Head("/computeMetadata/v1/project/project-id");
  head.origin.account = "gone@my-project.iam.gserviceaccount.com";
  EXPECT_EQ(Get(head).status, 404);
}

TEST_F(MetadataSurfaceTest, WaitingForAChangeHangsUntilItsTime) {
  const Response now = Get("instance/?recursive=true");
  const std::string etag(*now.headers.Get("etag"));
  const std::string wait =
      "/computeMetadata/v1/instance/?recursive=true&wait_for_change=true";
  EXPECT_EQ(Get(Head(wait + "&last_etag=0")).status, 200) << "changed since";
  Begun begun = surface_.Begin(Head(wait + "&timeout_sec=7&last_etag=" + etag));
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<BodySink>>(begun));
  Outcome outcome = std::get<std::unique_ptr<BodySink>>(begun)->Finish();
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<Wait>>(outcome));
  auto& waiting = *std::get<std::unique_ptr<Wait>>(outcome);
  EXPECT_EQ(waiting.deadline, clock_.Now() + absl::Seconds(7));
  Outcome after = waiting.Resume();
  EXPECT_EQ(std::get<Response>(after).headers.Get("etag"), etag);
}

TEST_F(MetadataSurfaceTest, OwnsItsListenersAndNames) {
  RequestHead head;
  EXPECT_FALSE(surface_.Owns(head));
  head.host = "metadata.google.internal";
  EXPECT_TRUE(surface_.Owns(head));
  head.host = "storage.googleapis.com";
  EXPECT_FALSE(surface_.Owns(head));
  head.origin.via = Origin::Via::kMetadata;
  EXPECT_TRUE(surface_.Owns(head));
}

}  // namespace
}  // namespace brume::api::metadata
