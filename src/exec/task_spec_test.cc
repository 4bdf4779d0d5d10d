#include "exec/task_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace brume::exec {
namespace {

using ::testing::HasSubstr;

TaskSpec Good() {
  TaskSpec spec;
  spec.id = "job-1";
  spec.image = "a";
  return spec;
}

TEST(TaskSpecTest, IdsAreSafeNames) {
  EXPECT_TRUE(IsTaskId("a"));
  EXPECT_TRUE(IsTaskId("1234-workerpool0-0"));
  for (const std::string& bad :
       {std::string(), std::string(64, 'a'), std::string(".."),
        std::string("a/b"), std::string("A"), std::string("-a"),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(IsTaskId(bad)) << bad;
  }
}

TEST(TaskSpecTest, BadFieldsAreNamed) {
  EXPECT_TRUE(CheckTaskSpec(Good()).ok());
  TaskSpec spec = Good();
  spec.command = {{std::string("a\0b", 3)}};
  EXPECT_THAT(CheckTaskSpec(spec).ToString(), HasSubstr("command"));
  spec = Good();
  spec.env["a=b"] = "c";
  EXPECT_THAT(CheckTaskSpec(spec).ToString(), HasSubstr("env"));
  spec = Good();
  spec.cpus = 0;
  EXPECT_THAT(CheckTaskSpec(spec).ToString(), HasSubstr("cpus"));
  spec = Good();
  spec.memory = 0;
  EXPECT_THAT(CheckTaskSpec(spec).ToString(), HasSubstr("memory"));
  spec = Good();
  spec.timeout = absl::ZeroDuration();
  EXPECT_THAT(CheckTaskSpec(spec).ToString(), HasSubstr("timeout"));
}

}  // namespace
}  // namespace brume::exec
