#include "services/serviceusage/service_store.h"

#include "services/longrunning/operations.h"
#include "services/serviceusage/catalogue.h"
#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace brume::services::serviceusage {
namespace {

namespace v1 = google::api::serviceusage::v1;
using testing::HasSubstr;

class ServiceStoreTest : public testing::Test {
 protected:
  ServiceStoreTest()
      : clock_(absl::FromUnixSeconds(1)),
        tokens_(*query::PageTokens::Create(kv_)),
        services_(
            {.kv = &kv_,
             .clock = &clock_,
             .page_tokens = tokens_.get(),
             .lock_project = [](store::KvTransaction&,
                                std::string_view name) { return Find(name); },
             .find_project = Find,
             .on_enabled =
                 [this](store::KvTransaction&, const Project&,
                        std::string_view service) {
                   turned_on_.emplace_back(service);
                   return absl::OkStatus();
                 }}) {}

  static absl::StatusOr<Project> Find(std::string_view name) {
    if (name == "p" || name == "12") return Project{"p", "12"};
    return absl::PermissionDeniedError("no such project");
  }

  absl::StatusOr<google::longrunning::Operation> Enable(std::string service) {
    v1::EnableServiceRequest request;
    request.set_name("projects/p/services/" + service);
    return services_.Enable(request);
  }
  v1::State StateOf(std::string service) {
    v1::GetServiceRequest request;
    request.set_name("projects/p/services/" + service);
    return services_.Get(request)->state();
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_;
  std::unique_ptr<query::PageTokens> tokens_;
  std::vector<std::string> turned_on_;
  ServiceStore services_;
};

TEST_F(ServiceStoreTest, EnablingIsDoneOnce) {
  const auto first = Enable("aiplatform.googleapis.com");
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first->done());
  EXPECT_THAT(first->name(), testing::StartsWith("operations/acf.p2-12-"));
  v1::EnableServiceResponse response;
  longrunning::Operations operations(kv_, clock_);
  const auto done = operations.Get(first->name());
  EXPECT_TRUE(done->done());
  ASSERT_TRUE(done->response().UnpackTo(&response));
  EXPECT_EQ(response.service().name(),
            "projects/12/services/aiplatform.googleapis.com");
  EXPECT_EQ(Enable("aiplatform.googleapis.com")->name(),
            "operations/noop.DONE_OPERATION");
  EXPECT_THAT(turned_on_, testing::ElementsAre("aiplatform.googleapis.com"));
}

TEST_F(ServiceStoreTest, WhatAServiceNeedsComesWithIt) {
  ASSERT_TRUE(Enable("container.googleapis.com").ok());
  EXPECT_EQ(StateOf("compute.googleapis.com"), v1::ENABLED);
  EXPECT_EQ(StateOf("oslogin.googleapis.com"), v1::ENABLED);
  v1::DisableServiceRequest off;
  off.set_name("projects/p/services/compute.googleapis.com");
  EXPECT_THAT(std::string(services_.Disable(off).status().message()),
              HasSubstr("depended on by the following active service(s): "
                        "container.googleapis.com"));
  off.set_disable_dependent_services(true);
  ASSERT_TRUE(services_.Disable(off).ok());
  EXPECT_EQ(StateOf("container.googleapis.com"), v1::DISABLED);
  EXPECT_EQ(services_.Disable(off).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ServiceStoreTest, UnknownServicesAreDenied) {
  EXPECT_EQ(Enable("nope.googleapis.com").status().message(),
            "Not found or permission denied for service(s): "
            "nope.googleapis.com.");
  v1::BatchEnableServicesRequest batch;
  batch.set_parent("projects/p");
  batch.add_service_ids("a.googleapis.com");
  batch.add_service_ids("compute.googleapis.com");
  batch.add_service_ids("b.googleapis.com");
  EXPECT_THAT(std::string(services_.BatchEnable(batch).status().message()),
              HasSubstr("a.googleapis.com,b.googleapis.com"));
  EXPECT_EQ(StateOf("compute.googleapis.com"), v1::DISABLED);
}

TEST_F(ServiceStoreTest, ListsByStateInPages) {
  ASSERT_TRUE(kv_.Transact([&](store::KvTransaction& txn) {
                   return services_.EnableDefaults(txn, {"p", "12"});
                 })
                  .ok());
  v1::ListServicesRequest request;
  request.set_parent("projects/12");
  request.set_filter("state:ENABLED");
  const int enabled = services_.List(request)->services_size();
  EXPECT_GT(enabled, 11);
  request.clear_filter();
  request.set_page_size(7);
  size_t all = 0;
  while (true) {
    const auto page = services_.List(request);
    ASSERT_TRUE(page.ok());
    all += static_cast<size_t>(page->services_size());
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
  }
  EXPECT_EQ(all, Catalogue().size());
  request.clear_page_token();
  request.set_filter("name:x");
  EXPECT_FALSE(services_.List(request).ok());
}

TEST(CatalogueTest, IsSortedAndClosed) {
  EXPECT_TRUE(std::is_sorted(
      Catalogue().begin(), Catalogue().end(),
      [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const CatalogueEntry& entry : Catalogue()) {
    EXPECT_EQ(FindService(entry.name), &entry);
    std::string_view needs = entry.needs;
    while (!needs.empty()) {
      const std::string_view one = needs.substr(0, needs.find(' '));
      EXPECT_NE(FindService(one), nullptr) << one;
      needs.remove_prefix(std::min(needs.size(), one.size() + 1));
    }
  }
}

}  // namespace
}  // namespace brume::services::serviceusage
