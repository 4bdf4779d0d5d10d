#include "services/storage/object_list.h"

#include "services/storage/keys.h"
#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace brume::services::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Counts what a list reads.
class CountingReader final : public store::KvReader {
 public:
  explicit CountingReader(store::KvReader* under) : under_(under) {}
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) override {
    return under_->Get(key);
  }
  absl::Status Scan(const store::KeyRange& range,
                    absl::FunctionRef<bool(std::string_view, std::string_view)>
                        visit) override {
    return under_->Scan(range, [&](std::string_view k, std::string_view v) {
      ++rows;
      return visit(k, v);
    });
  }
  int rows = 0;

 private:
  store::KvReader* const under_;
};

class ObjectListTest : public ::testing::Test {
 protected:
  void Put(const std::string& name, int64_t generation = 1,
           bool noncurrent = false) {
    brume::storage::ObjectRecord record;
    record.mutable_object()->set_name(name);
    record.mutable_object()->set_generation(generation);
    if (noncurrent) record.mutable_object()->mutable_time_deleted();
    ASSERT_TRUE(kv_.Transact([&](store::KvTransaction& txn) {
                     return txn.Put(noncurrent
                                        ? NoncurrentKey("b", name, generation)
                                        : ObjectKey("b", name),
                                    record.SerializeAsString());
                   })
                    .ok());
  }

  ListReply List(ListRequest request) {
    request.bucket = "b";
    std::unique_ptr<store::KvReader> snapshot = kv_.Snapshot();
    CountingReader reader(snapshot.get());
    absl::StatusOr<ListReply> reply = ListObjects(reader, request);
    rows_read_ = reader.rows;
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : ListReply{};
  }

  // Every item and prefix of all pages, in the order received.
  std::vector<std::string> AllPages(ListRequest request) {
    std::vector<std::string> out;
    do {
      ListReply reply = List(request);
      EXPECT_LE(reply.items.size() + reply.prefixes.size(),
                request.max_results);
      for (const auto& item : reply.items) {
        out.push_back(item.name() + "#" + std::to_string(item.generation()));
      }
      for (const std::string& prefix : reply.prefixes) out.push_back(prefix);
      request.page_token = reply.next_page_token;
    } while (!request.page_token.empty());
    return out;
  }

  static std::vector<std::string> Names(const ListReply& reply) {
    std::vector<std::string> out;
    for (const auto& item : reply.items) out.push_back(item.name());
    return out;
  }

  store::MemoryKvStore kv_;
  int rows_read_ = 0;
};

TEST_F(ObjectListTest, NamesOrderByBytes) {
  for (const char* name : {"b", "a/b", "a", "a\x01", "\xc3\xa9", "a/"}) {
    Put(name);
  }
  EXPECT_THAT(Names(List({})),
              ElementsAre("a", "a\x01", "a/", "a/b", "b", "\xc3\xa9"));
  EXPECT_THAT(Names(List({.prefix = "a/"})), ElementsAre("a/", "a/b"));
  EXPECT_THAT(Names(List({.start_offset = "a/", .end_offset = "b"})),
              ElementsAre("a/", "a/b"));
}

TEST_F(ObjectListTest, DelimiterGathersPrefixes) {
  for (const char* name : {"a", "a/", "a/b", "a/c/d", "e/f", "g"}) Put(name);
  ListReply top = List({.delimiter = "/"});
  EXPECT_THAT(Names(top), ElementsAre("a", "g"));
  EXPECT_THAT(top.prefixes, ElementsAre("a/", "e/"));
  ListReply below = List({.prefix = "a/", .delimiter = "/"});
  EXPECT_THAT(Names(below), ElementsAre("a/", "a/b"));
  EXPECT_THAT(below.prefixes, ElementsAre("a/c/"));
  ListReply trailing =
      List({.delimiter = "/", .include_trailing_delimiter = true});
  EXPECT_THAT(Names(trailing), ElementsAre("a", "a/", "g"));
  EXPECT_THAT(trailing.prefixes, ElementsAre("a/", "e/"));
}

TEST_F(ObjectListTest, PagesOfEverySizeGiveTheSameList) {
  for (const char* name : {"a", "a/x", "a/y", "b/1", "b/2", "c", "d/"}) {
    Put(name);
  }
  for (size_t size : {1, 2, 3, 7}) {
    std::vector<std::string> all =
        AllPages({.delimiter = "/", .max_results = size});
    std::sort(all.begin(), all.end());
    EXPECT_THAT(all, ElementsAre("a#1", "a/", "b/", "c#1", "d/")) << size;
  }
}

TEST_F(ObjectListTest, VersionsComeOldestFirst) {
  Put("a", 3);
  Put("a", 1, true);
  Put("a", 2, true);
  Put("b", 4, true);
  Put("c", 5);
  EXPECT_THAT(AllPages({}), ElementsAre("a#3", "c#5"));
  for (size_t size : {1, 2, 9}) {
    EXPECT_THAT(AllPages({.max_results = size, .versions = true}),
                ElementsAre("a#1", "a#2", "a#3", "b#4", "c#5"))
        << size;
  }
}

TEST_F(ObjectListTest, APageDoesNotReadTheBucket) {
  for (int i = 0; i < 3000; ++i) Put("big/" + std::to_string(i));
  Put("z");
  EXPECT_THAT(List({.delimiter = "/"}).prefixes, ElementsAre("big/"));
  EXPECT_LT(rows_read_, 20);
  EXPECT_EQ(List({.max_results = 5}).items.size(), 5u);
  EXPECT_LT(rows_read_, 50);
}

TEST_F(ObjectListTest, AForeignTokenIsRefused) {
  std::unique_ptr<store::KvReader> snapshot = kv_.Snapshot();
  for (const char* token : {"!", "AAAA", "x"}) {
    ListRequest request{.bucket = "b", .page_token = token};
    EXPECT_EQ(ListObjects(*snapshot, request).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_THAT(Names(List({})), IsEmpty());
}

}  // namespace
}  // namespace brume::services::storage
