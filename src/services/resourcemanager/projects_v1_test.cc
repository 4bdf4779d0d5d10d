#include "services/resourcemanager/projects_v1.h"

#include "services/longrunning/operations.h"
#include "store/kv/memory_kv_store.h"

#include <gtest/gtest.h>

namespace brume::services::resourcemanager {
namespace {

class ProjectsV1Test : public testing::Test {
 protected:
  void Make(const std::string& id, const std::string& name = "") {
    v1::CreateProjectRequest request;
    request.mutable_project()->set_project_id(id);
    request.mutable_project()->set_name(name);
    const auto operation = projects_.CreateProject(request, "user:o@x.com");
    ASSERT_TRUE(operation.ok()) << operation.status();
    longrunning::Operations operations(kv_, clock_);
    const auto found = operations.Get(operation->name());
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->response().type_url(),
              "type.googleapis.com/google.cloudresourcemanager.v1.Project");
  }
  std::vector<std::string> Listed(const std::string& filter) {
    v1::ListProjectsRequest request;
    request.set_filter(filter);
    const auto list = projects_.ListProjects(request);
    EXPECT_TRUE(list.ok()) << filter << ": " << list.status();
    std::vector<std::string> ids;
    if (list.ok()) {
      for (const v1::Project& project : list->projects()) {
        ids.push_back(project.project_id());
      }
    }
    return ids;
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  ProjectStore store_{{.kv = &kv_, .clock = &clock_, .on_create = nullptr}};
  std::unique_ptr<query::PageTokens> pages_ = *query::PageTokens::Create(kv_);
  ProjectsV1 projects_{{.kv = &kv_,
                        .clock = &clock_,
                        .projects = &store_,
                        .pages = pages_.get()}};
};

using Ids = std::vector<std::string>;

TEST_F(ProjectsV1Test, GcloudsFiltersWork) {
  Make("alpha-one", "Howl");
  Make("beta-one", "My Other");
  v1::DeleteProjectRequest remove;
  remove.set_project_id("beta-one");
  ASSERT_TRUE(projects_.DeleteProject(remove).ok());
  EXPECT_EQ(Listed(""), (Ids{"alpha-one", "beta-one"}));
  EXPECT_EQ(Listed("lifecycleState:ACTIVE"), Ids{"alpha-one"});
  EXPECT_EQ(Listed("lifecycleState:DELETE_REQUESTED"), Ids{"beta-one"});
  EXPECT_EQ(Listed("lifecycleState:ACTIVE AND (id:alpha-one)"),
            Ids{"alpha-one"});
  EXPECT_EQ(Listed("lifecycleState:ACTIVE AND (id:beta-one)"), Ids{});
  EXPECT_EQ(Listed("id:beta-one"), Ids{"beta-one"});
  EXPECT_EQ(Listed("name:how*"), Ids{"alpha-one"});
}

TEST_F(ProjectsV1Test, ProjectsReadAsV1ShowsThem) {
  v1::CreateProjectRequest request;
  request.mutable_project()->set_project_id("my-project");
  request.mutable_project()->mutable_parent()->set_type("organization");
  request.mutable_project()->mutable_parent()->set_id("123");
  (*request.mutable_project()->mutable_labels())["a"] = "b";
  ASSERT_TRUE(projects_.CreateProject(request, "user:o@x.com").ok());
  v1::GetProjectRequest get;
  get.set_project_id("my-project");
  const auto project = projects_.GetProject(get);
  ASSERT_TRUE(project.ok());
  EXPECT_GE(project->project_number(), 100'000'000'000);
  EXPECT_EQ(project->lifecycle_state(), v1::ACTIVE);
  EXPECT_EQ(project->name(), "my-project");
  EXPECT_EQ(project->parent().type(), "organization");
  EXPECT_EQ(project->parent().id(), "123");
  EXPECT_EQ(project->labels().at("a"), "b");

  v1::GetAncestryRequest ancestry;
  ancestry.set_project_id("my-project");
  const auto line = projects_.GetAncestry(ancestry);
  ASSERT_EQ(line->ancestor_size(), 2);
  EXPECT_EQ(line->ancestor(0).resource_id().type(), "project");
  EXPECT_EQ(line->ancestor(1).resource_id().id(), "123");

  get.set_project_id("nonexist-proj");
  EXPECT_EQ(projects_.GetProject(get).status().message(),
            "The caller does not have permission");
}

TEST_F(ProjectsV1Test, UpdateReplacesNameAndLabels) {
  Make("my-project");
  v1::UpdateProjectRequest update;
  update.set_project_id("my-project");
  update.mutable_project()->set_name("New Name");
  (*update.mutable_project()->mutable_labels())["x"] = "y";
  const auto changed = projects_.UpdateProject(update);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->name(), "New Name");
  EXPECT_EQ(changed->labels_size(), 1);
  (*update.mutable_project()->mutable_labels())["Bad Key"] = "y";
  EXPECT_FALSE(projects_.UpdateProject(update).ok());
}

TEST_F(ProjectsV1Test, DeleteAndUndelete) {
  Make("my-project");
  v1::DeleteProjectRequest remove;
  remove.set_project_id("my-project");
  EXPECT_TRUE(projects_.DeleteProject(remove).ok());
  EXPECT_TRUE(
      absl::IsFailedPrecondition(projects_.DeleteProject(remove).status()));
  v1::UndeleteProjectRequest restore;
  restore.set_project_id("my-project");
  EXPECT_TRUE(projects_.UndeleteProject(restore).ok());
  EXPECT_FALSE(projects_.UndeleteProject(restore).ok());
  remove.set_project_id("nope-nope");
  EXPECT_TRUE(
      absl::IsPermissionDenied(projects_.DeleteProject(remove).status()));
}

}  // namespace
}  // namespace brume::services::resourcemanager
