#include "services/longrunning/operations.h"

#include "store/kv/memory_kv_store.h"

#include <google/protobuf/empty.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

namespace brume::services::longrunning {
namespace {

using google::protobuf::Empty;
using google::protobuf::Timestamp;

class OperationsTest : public testing::Test {
 protected:
  OperationsTest()
      : clock_(absl::FromUnixSeconds(1)), operations_(kv_, clock_) {}

  void Start(std::string_view name) {
    ASSERT_TRUE(
        kv_.Transact([&](store::KvTransaction& txn) {
             return Operations::PutStarted(txn, name, Timestamp()).status();
           })
            .ok());
  }
  void Finish(std::string_view name, absl::Status status) {
    const Empty empty;
    ASSERT_TRUE(kv_.Transact([&](store::KvTransaction& txn) {
                     absl::StatusOr<const google::protobuf::Message*> result =
                         &empty;
                     if (!status.ok()) result = status;
                     return Operations::PutFinished(txn, name, result);
                   })
                    .ok());
    operations_.Wake(name);
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_;
  Operations operations_;
};

TEST_F(OperationsTest, EndWithAResponseOrAnError) {
  Start("operations/a");
  Start("operations/b");
  EXPECT_FALSE(operations_.Get("operations/a")->done());
  Finish("operations/a", absl::OkStatus());
  Finish("operations/b", absl::AbortedError("no"));
  EXPECT_TRUE(operations_.Get("operations/a")->response().Is<Empty>());
  EXPECT_TRUE(operations_.Get("operations/a")->metadata().Is<Timestamp>());
  EXPECT_EQ(operations_.Get("operations/b")->error().code(), 10);
  EXPECT_TRUE(absl::IsNotFound(operations_.Get("operations/c").status()));
}

TEST_F(OperationsTest, ListsTheParentsOwn) {
  for (const char* name :
       {"operations/x", "projects/1/operations/a", "projects/1/operations/b",
        "projects/10/operations/c"}) {
    Start(name);
  }
  const auto names = [&](std::string_view parent, std::string_view after,
                         size_t count) {
    std::string out;
    const auto listed = operations_.List(parent, after, count);
    for (const auto& one : *listed) {
      out += one.name() + " ";
    }
    return out;
  };
  EXPECT_EQ(names("projects/1", "", 9),
            "projects/1/operations/a projects/1/operations/b ");
  EXPECT_EQ(names("projects/1", "projects/1/operations/a", 9),
            "projects/1/operations/b ");
  EXPECT_EQ(names("", "", 9), "operations/x ");
  EXPECT_EQ(names("projects/1", "", 1), "projects/1/operations/a ");
}

TEST_F(OperationsTest, WaitersAreWokenOnce) {
  Start("operations/a");
  int woken = 0;
  const uint64_t first =
      operations_.Subscribe("operations/a", [&] { ++woken; });
  const uint64_t gone =
      operations_.Subscribe("operations/a", [&] { woken += 100; });
  operations_.Unsubscribe(gone);
  EXPECT_EQ(woken, 0);
  Finish("operations/a", absl::OkStatus());
  operations_.Wake("operations/a");
  EXPECT_EQ(woken, 1);
  operations_.Unsubscribe(first);
  // Whoever comes late is woken at once.
  operations_.Unsubscribe(
      operations_.Subscribe("operations/a", [&] { ++woken; }));
  EXPECT_EQ(woken, 2);
}

TEST_F(OperationsTest, DeletedOnesAreGone) {
  Start("operations/a");
  EXPECT_TRUE(operations_.Delete("operations/a").ok());
  EXPECT_TRUE(absl::IsNotFound(operations_.Delete("operations/a")));
}

}  // namespace
}  // namespace brume::services::longrunning
