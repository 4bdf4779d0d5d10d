#include "runtime/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace brume::runtime {
namespace {

TEST(ChildProcessTest, OutputsAndExitCodeAreCaught) {
  const auto result =
      RunChild({.argv = {"sh", "-c", "echo out; echo err >&2; exit 3"}});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->out, "out\n");
  EXPECT_EQ(result->err, "err\n");
}

TEST(ChildProcessTest, ASignalIsAddedTo128) {
  const auto result = RunChild({.argv = {"sh", "-c", "kill -9 $$"}});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 137);
}

TEST(ChildProcessTest, AMissingProgramIsAnErrorOfSpawn) {
  const auto result = RunChild({.argv = {"no-such-program-here"}});

  EXPECT_TRUE(absl::IsNotFound(result.status())) << result.status();
}

TEST(ChildProcessTest, OnlyNamedDescriptorsAndVariablesPass) {
  auto pipe = MakePipe();
  ASSERT_TRUE(pipe.ok());
  const int leaked = dup(pipe->write.get());

  const auto result = RunChild({.argv = {"sh", "-c",
                                         "ls /proc/self/fd | tr '\\n' ' '; "
                                         "echo $ONLY; echo hi >&7"},
                                .env = {{{"ONLY", "this"}}},
                                .fds = {{pipe->write.get(), 7}}});

  close(leaked);
  ASSERT_TRUE(result.ok()) << result.status();
  // 3 is ls's own.
  EXPECT_EQ(result->out, "0 1 2 3 7 this\n");
  char text[3] = {};
  EXPECT_EQ(read(pipe->read.get(), text, 3), 3);
  EXPECT_EQ(std::string(text, 3), "hi\n");
}

TEST(ChildProcessTest, ADetachedChildIsNotOurs) {
  auto pipe = MakePipe();
  ASSERT_TRUE(pipe.ok());

  const auto pid = SpawnChild({.argv = {"sh", "-c", "echo $PPID"},
                               .fds = {{pipe->write.get(), 1}},
                               .detached = true});

  ASSERT_TRUE(pid.ok()) << pid.status();
  pipe->write.Reset();
  char text[32] = {};
  ASSERT_GT(read(pipe->read.get(), text, sizeof(text)), 0);
  EXPECT_NE(std::stol(text), getpid());
}

}  // namespace
}  // namespace brume::runtime
