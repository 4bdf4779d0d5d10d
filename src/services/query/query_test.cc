#include "services/query/field_mask.h"
#include "services/query/order_by.h"
#include "services/query/page_token.h"
#include "store/kv/memory_kv_store.h"

#include <google/cloud/aiplatform/v1/custom_job.pb.h>
#include <google/iam/admin/v1/iam.pb.h>
#include <google/logging/v2/logging.pb.h>
#include <gtest/gtest.h>

namespace brume::services::query {
namespace {

TEST(PageTokenTest, ContinuesItsOwnRequestOnly) {
  store::MemoryKvStore kv;
  const auto tokens = PageTokens::Create(kv);
  google::logging::v2::ListLogEntriesRequest request;
  request.set_filter("a");
  request.set_page_size(10);
  const std::string token = (*tokens)->Make(request, "position");
  request.set_page_size(20);
  request.set_page_token(token);
  EXPECT_EQ(*(*tokens)->Read(request, token), "position");
  // A restart keeps tokens.
  EXPECT_EQ(*(*PageTokens::Create(kv))->Read(request, token), "position");
  request.set_filter("b");
  EXPECT_FALSE((*tokens)->Read(request, token).ok());
  EXPECT_FALSE((*tokens)->Read(request, "bm8").ok());
  EXPECT_FALSE((*tokens)->Read(request, "").ok());
}

TEST(OrderByTest, OrdersBySeveralFields) {
  google::cloud::aiplatform::v1::CustomJob a, b;
  a.set_display_name("x");
  b.set_display_name("x");
  a.mutable_create_time()->set_seconds(1);
  b.mutable_create_time()->set_seconds(2);
  const auto order = OrderBy::Parse("display_name, create_time desc", a);
  ASSERT_TRUE(order.ok());
  EXPECT_TRUE(order->Less(b, a));
  EXPECT_FALSE(order->Less(a, b));
  EXPECT_FALSE(order->Less(a, a));
  EXPECT_FALSE(OrderBy::Parse("nope", a).ok());
  EXPECT_FALSE(OrderBy::Parse("display_name up", a).ok());
  EXPECT_FALSE(OrderBy::Parse("a,,b", a).ok());
}

TEST(FieldMaskTest, CopiesWhatIsNamed) {
  google::iam::admin::v1::ServiceAccount from, to;
  from.set_display_name("new");
  to.set_display_name("old");
  to.set_description("kept");
  google::protobuf::FieldMask mask;
  mask.add_paths("displayName");
  ASSERT_TRUE(ApplyMask(mask, {"display_name", "description"}, from, &to).ok());
  EXPECT_EQ(to.display_name(), "new");
  EXPECT_EQ(to.description(), "kept");
  mask.add_paths("description");
  ASSERT_TRUE(ApplyMask(mask, {"display_name", "description"}, from, &to).ok());
  EXPECT_EQ(to.description(), "");
  mask.add_paths("email");
  EXPECT_FALSE(ApplyMask(mask, {"display_name"}, from, &to).ok());
  mask.clear_paths();
  mask.add_paths("nope");
  EXPECT_FALSE(ApplyMask(mask, {"display_name"}, from, &to).ok());
}

}  // namespace
}  // namespace brume::services::query
