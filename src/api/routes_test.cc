#include "api/routes.h"

#include <gtest/gtest.h>

namespace brume::api {
namespace {

std::string Method(std::string_view host, std::string_view verb,
                   std::string_view path) {
  Routes routes;
  const auto match = routes.Find(host, verb, path);
  return match ? std::string(match->method) : "";
}

TEST(RoutesTest, FindsMethodsOfTheAnnotations) {
  EXPECT_EQ(
      Method("iam.googleapis.com", "POST", "/v1/projects/p/serviceAccounts"),
      "google.iam.admin.v1.IAM.CreateServiceAccount");
  EXPECT_EQ(
      Method("cloudresourcemanager.googleapis.com", "GET", "/v3/projects/p"),
      "google.cloud.resourcemanager.v3.Projects.GetProject");
  EXPECT_EQ(Method("us-central1-aiplatform.googleapis.com", "POST",
                   "/v1/projects/p/locations/us-central1/customJobs/1:cancel"),
            "google.cloud.aiplatform.v1.JobService.CancelCustomJob");
}

TEST(RoutesTest, FindsAliasesAndMixins) {
  const char* host = "europe-west4-aiplatform.googleapis.com";
  const char* get = "google.longrunning.Operations.GetOperation";
  EXPECT_EQ(Method(host, "GET", "/ui/projects/p/locations/l/operations/1"),
            get);
  EXPECT_EQ(Method(host, "GET",
                   "/ui/projects/p/locations/l/customJobs/1/operations/2"),
            get);
  EXPECT_EQ(Method(host, "GET", "/v1beta1/projects/p/locations/l/customJobs"),
            "google.cloud.aiplatform.v1.JobService.ListCustomJobs");
  EXPECT_EQ(Method("cloudresourcemanager.googleapis.com", "GET",
                   "/v3/operations/cp.1"),
            get);
}

TEST(RoutesTest, KnowsNothingOfOtherHostsAndPaths) {
  EXPECT_EQ(Method("iam.googleapis.com", "GET", "/v9/nothing"), "");
  EXPECT_EQ(Method("cloudresourcemanager.googleapis.com", "POST",
                   "/v1/projects/p/serviceAccounts"),
            "");
  EXPECT_EQ(Method("nothing.googleapis.com", "GET", "/v1/projects/p"), "");
  EXPECT_EQ(Method("", "GET", "/v3/projects/p"), "");
}

TEST(RoutesTest, MethodsAreKnownServedOrNot) {
  EXPECT_TRUE(IsKnownMethod("google.cloud.aiplatform.v1.JobService.GetNasJob"));
  EXPECT_FALSE(
      IsKnownMethod("google.cloud.aiplatform.v1.JobService.GetNothing"));
}

}  // namespace
}  // namespace brume::api
