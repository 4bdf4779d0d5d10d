#include "services/runs/run_registry.h"

#include "store/kv/memory_kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brume::services::runs {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class RunRegistryTest : public testing::Test {
 protected:
  std::unique_ptr<RunRegistry> Open() {
    return *RunRegistry::Create({&kv_, &clock_});
  }

  store::MemoryKvStore kv_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
};

TEST_F(RunRegistryTest, OnlyTheTokenOfARunOpensIt) {
  const auto runs = Open();
  const auto one = runs->Register({.label = "train", .offline = true});
  const auto two = runs->Register({.label = "train"});
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_NE(one->name, two->name);
  EXPECT_TRUE(runs->Authenticate(one->name, one->token)->offline());
  EXPECT_TRUE(absl::IsUnauthenticated(
      runs->Authenticate(one->name, two->token).status()));
  EXPECT_TRUE(
      absl::IsUnauthenticated(runs->Authenticate(one->name, "").status()));
  EXPECT_TRUE(
      absl::IsUnauthenticated(runs->Authenticate("", two->token).status()));
  ASSERT_TRUE(runs->Unregister(one->name).ok());
  EXPECT_FALSE(runs->Authenticate(one->name, one->token).ok());
  EXPECT_TRUE(runs->Authenticate(two->name, two->token).ok());
}

TEST_F(RunRegistryTest, RunsAreThereAfterARestartAndTokensAreNot) {
  const auto run = *Open()->Register({.label = "shell", .lasting = true});
  EXPECT_EQ(run.name, "shell");
  EXPECT_TRUE(Open()->Authenticate(run.name, run.token).ok());
  bool found = false;
  ASSERT_TRUE(kv_.Snapshot()
                  ->Scan({},
                         [&](std::string_view key, std::string_view value) {
                           found = found || key.find(run.token) != key.npos ||
                                   value.find(run.token) != value.npos;
                           return true;
                         })
                  .ok());
  EXPECT_FALSE(found);
}

TEST_F(RunRegistryTest, ALastingRunIsTakenUpWithItsToken) {
  const auto runs = Open();
  const auto first = *runs->Register({.label = "shell", .lasting = true});
  const auto again = *runs->Register(
      {.label = "shell", .lasting = true, .token = first.token});
  EXPECT_EQ(again.token, first.token);
  const auto other =
      *runs->Register({.label = "shell", .lasting = true, .token = "guessed"});
  EXPECT_NE(other.token, first.token);
  EXPECT_FALSE(runs->Authenticate("shell", first.token).ok());
}

TEST_F(RunRegistryTest, CommandsWhoseProcessIsGoneAreDropped) {
  const auto runs = Open();
  ASSERT_TRUE(runs->Register({.label = "a", .pid = 1}).ok());
  ASSERT_TRUE(runs->Register({.label = "b", .pid = 2}).ok());
  ASSERT_TRUE(
      runs->Register({.label = "shell", .lasting = true, .pid = 2}).ok());
  ASSERT_TRUE(runs->DropEnded([](int64_t pid) { return pid == 1; }).ok());
  EXPECT_THAT(runs->List(), SizeIs(2));
  EXPECT_THAT(Open()->List(), SizeIs(2));
}

TEST_F(RunRegistryTest, NamesThatDoNotFitAUrlAreRefused) {
  const auto runs = Open();
  for (const char* label : {"", "a b", "a:b", "a@b", "a/b", "\xc3\xa4"}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(runs->Register({.label = label}).status()))
        << label;
  }
  EXPECT_FALSE(runs->Register({.label = std::string(64, 'a')}).ok());
  EXPECT_THAT(runs->List(), IsEmpty());
}

}  // namespace
}  // namespace brume::services::runs
