#include "services/resourcemanager/projects.h"

#include "services/resourcemanager/names.h"
#include "store/kv/memory_kv_store.h"

#include <gtest/gtest.h>

namespace brume::services::resourcemanager {
namespace {

namespace v3 = google::cloud::resourcemanager::v3;

constexpr char kOwner[] = "user:owner@brume.local";

class ProjectsTest : public testing::Test {
 protected:
  v3::Project Made(const std::string& id) {
    v3::CreateProjectRequest request;
    request.mutable_project()->set_project_id(id);
    const auto operation = projects_.CreateProject(request, kOwner);
    v3::Project project;
    EXPECT_TRUE(operation.ok()) << operation.status();
    if (operation.ok()) {
      EXPECT_TRUE(operation->done());
      EXPECT_EQ(operation->name().substr(0, 14), "operations/cp.");
      EXPECT_TRUE(operation->response().UnpackTo(&project));
    }
    return project;
  }
  std::string Refusal(const std::string& id, const std::string& name = "",
                      const std::string& parent = "") {
    v3::CreateProjectRequest request;
    request.mutable_project()->set_project_id(id);
    request.mutable_project()->set_display_name(name);
    request.mutable_project()->set_parent(parent);
    return std::string(
        projects_.CreateProject(request, kOwner).status().message());
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  std::vector<std::string> created_;
  ProjectStore store_{
      {.kv = &kv_,
       .clock = &clock_,
       .on_create = [this](store::KvTransaction&,
                           const ProjectStore::Created& project) {
         created_.push_back(project.id);
         return absl::OkStatus();
       }}};
  std::unique_ptr<query::PageTokens> pages_ = *query::PageTokens::Create(kv_);
  Projects projects_{{.kv = &kv_,
                      .clock = &clock_,
                      .projects = &store_,
                      .pages = pages_.get(),
                      .policy_rules = {}}};
};

TEST_F(ProjectsTest, AProjectIsMadeOnce) {
  const v3::Project made = Made("my-project");
  EXPECT_EQ(NumberOf(made).size(), 12U);
  EXPECT_EQ(made.display_name(), "my-project");
  EXPECT_EQ(made.state(), v3::Project::ACTIVE);
  EXPECT_EQ(created_, std::vector<std::string>{"my-project"});
  v3::CreateProjectRequest again;
  again.mutable_project()->set_project_id("my-project");
  EXPECT_TRUE(
      absl::IsAlreadyExists(projects_.CreateProject(again, kOwner).status()));

  v3::GetProjectRequest get;
  for (const std::string& name : {std::string("projects/my-project"),
                                  made.name(), std::string("my-project")}) {
    get.set_name(name);
    const auto found = projects_.GetProject(get);
    ASSERT_TRUE(found.ok()) << name;
    EXPECT_EQ(found->SerializeAsString(), made.SerializeAsString());
  }
}

TEST_F(ProjectsTest, UnknownProjectsAreForbidden) {
  v3::GetProjectRequest get;
  for (const char* name :
       {"projects/nope-nope", "projects/999999999999", "projects/-"}) {
    get.set_name(name);
    const absl::Status status = projects_.GetProject(get).status();
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << name;
    EXPECT_EQ(status.message(), "The caller does not have permission");
  }
  get.set_name("projects/a/b");
  EXPECT_TRUE(absl::IsInvalidArgument(projects_.GetProject(get).status()));
}

TEST_F(ProjectsTest, BadWordsAreRefusedWithTheField) {
  EXPECT_EQ(Refusal("abc"),
            "field [project_id] has issue [project_id must be at least 6 "
            "characters long]");
  EXPECT_EQ(Refusal(std::string(31, 'a')),
            "field [project_id] has issue [project_id must be at most 30 "
            "characters long]");
  for (const char* id :
       {"My-Project", "1project", "project-", "pro_ject", "../../etc",
        "proj\xff"
        "ct"}) {
    EXPECT_EQ(Refusal(id),
              "field [project_id] has issue [project_id contains invalid "
              "characters]")
        << id;
  }
  EXPECT_NE(Refusal("good-id", "abc"), "");
  EXPECT_NE(Refusal("good-id", "bad/name"), "");
  EXPECT_NE(Refusal("good-id", "", "projects/1"), "");
  EXPECT_NE(Refusal("good-id", "", "folders/x"), "");
  v3::CreateProjectRequest named;
  named.mutable_project()->set_name("projects/good-id");
  EXPECT_EQ(projects_.CreateProject(named, kOwner).status().message(),
            "field [project.name] has issue [field should not be set for new "
            "projects]");
  EXPECT_TRUE(created_.empty());
}

TEST_F(ProjectsTest, UpdatesFollowTheMaskAndTheEtag) {
  const v3::Project made = Made("my-project");
  v3::UpdateProjectRequest request;
  request.mutable_project()->set_name(made.name());
  request.mutable_project()->set_display_name("Other Name");
  (*request.mutable_project()->mutable_labels())["env"] = "dev";
  request.mutable_update_mask()->add_paths("labels");
  clock_.Advance(absl::Seconds(5));
  ASSERT_TRUE(projects_.UpdateProject(request).ok());
  auto now = store_.Get("my-project");
  EXPECT_EQ(now->display_name(), "my-project");
  EXPECT_EQ(now->labels().at("env"), "dev");
  EXPECT_NE(now->etag(), made.etag());
  EXPECT_GT(now->update_time().seconds(), made.update_time().seconds());

  request.mutable_project()->set_etag(made.etag());
  EXPECT_TRUE(absl::IsAborted(projects_.UpdateProject(request).status()));
  request.mutable_project()->clear_etag();
  request.mutable_update_mask()->set_paths(0, "project_id");
  EXPECT_TRUE(
      absl::IsInvalidArgument(projects_.UpdateProject(request).status()));
}

TEST_F(ProjectsTest, DeletedProjectsCanBeRestored) {
  Made("my-project");
  v3::DeleteProjectRequest remove;
  remove.set_name("projects/my-project");
  ASSERT_TRUE(projects_.DeleteProject(remove).ok());
  EXPECT_EQ(store_.Get("my-project")->state(), v3::Project::DELETE_REQUESTED);
  EXPECT_TRUE(store_.Get("my-project")->has_delete_time());
  EXPECT_TRUE(
      absl::IsFailedPrecondition(projects_.DeleteProject(remove).status()));
  EXPECT_TRUE(absl::IsNotFound(kv_.Transact([&](store::KvTransaction& txn) {
    return store_.LockActive(txn, "my-project").status();
  })));
  v3::UndeleteProjectRequest restore;
  restore.set_name("projects/my-project");
  ASSERT_TRUE(projects_.UndeleteProject(restore).ok());
  EXPECT_EQ(store_.Get("my-project")->state(), v3::Project::ACTIVE);
  EXPECT_FALSE(projects_.UndeleteProject(restore).ok());
}

TEST_F(ProjectsTest, SearchFiltersAndPages) {
  for (const char* id : {"alpha-one", "alpha-two", "beta-one"}) Made(id);
  v3::SearchProjectsRequest request;
  request.set_page_size(2);
  auto page = projects_.SearchProjects(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->projects_size(), 2);
  EXPECT_EQ(page->projects(0).project_id(), "alpha-one");
  request.set_page_token(page->next_page_token());
  page = projects_.SearchProjects(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->projects_size(), 1);
  EXPECT_EQ(page->projects(0).project_id(), "beta-one");
  EXPECT_TRUE(page->next_page_token().empty());
  request.set_query("id:alpha*");
  EXPECT_FALSE(projects_.SearchProjects(request).ok()) << "another's token";
  request.clear_page_token();
  page = projects_.SearchProjects(request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->projects_size(), 2);

  v3::ListProjectsRequest list;
  EXPECT_TRUE(absl::IsInvalidArgument(projects_.ListProjects(list).status()));
  list.set_parent("organizations/1");
  EXPECT_EQ(projects_.ListProjects(list)->projects_size(), 0);
}

TEST_F(ProjectsTest, TheCreatorIsOwnerInThePolicy) {
  Made("my-project");
  google::iam::v1::GetIamPolicyRequest get;
  get.set_resource("projects/my-project");
  get.mutable_options()->set_requested_policy_version(3);
  auto policy = projects_.GetIamPolicy(get);
  ASSERT_TRUE(policy.ok()) << policy.status();
  ASSERT_EQ(policy->bindings_size(), 1);
  EXPECT_EQ(policy->bindings(0).role(), "roles/owner");
  EXPECT_EQ(policy->bindings(0).members(0), kOwner);

  google::iam::v1::SetIamPolicyRequest set;
  set.set_resource("my-project");  // as v1 names it
  *set.mutable_policy() = *policy;
  auto& binding = *set.mutable_policy()->add_bindings();
  binding.set_role("roles/storage.objectViewer");
  binding.add_members("user:bob@example.com");
  const auto changed = projects_.SetIamPolicy(set);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->bindings_size(), 2);
  EXPECT_TRUE(absl::IsAborted(projects_.SetIamPolicy(set).status()));
  set.set_resource("projects/nope-nope");
  EXPECT_TRUE(absl::IsPermissionDenied(projects_.SetIamPolicy(set).status()));

  google::iam::v1::TestIamPermissionsRequest test;
  test.set_resource("projects/my-project");
  test.add_permissions("serviceusage.services.use");
  EXPECT_EQ(projects_.TestIamPermissions(test)->permissions_size(), 1);
}

TEST_F(ProjectsTest, AHookThatFailsMakesNoProject) {
  ProjectStore failing(
      {.kv = &kv_,
       .clock = &clock_,
       .on_create = [](store::KvTransaction&, const ProjectStore::Created&) {
         return absl::UnavailableError("no");
       }});
  EXPECT_FALSE(failing.EnsureProject("my-project", kOwner).ok());
  EXPECT_TRUE(absl::IsNotFound(store_.Get("my-project").status()));
  EXPECT_TRUE(store_.EnsureProject("brume-local", kOwner).ok());
  EXPECT_EQ(store_.EnsureProject("brume-local", kOwner)->name(),
            store_.Get("brume-local")->name());
}

}  // namespace
}  // namespace brume::services::resourcemanager
