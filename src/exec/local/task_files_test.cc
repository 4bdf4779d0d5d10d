#include "exec/local/task_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace brume::exec {
namespace {

namespace fs = std::filesystem;

class TaskFilesTest : public ::testing::Test {
 protected:
  TaskFilesTest() {
    std::string pattern = (fs::temp_directory_path() / "task-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~TaskFilesTest() override { fs::remove_all(folder_); }
  TaskFiles Open() { return TaskFiles::Open(folder_).value(); }
  std::string folder_;
};

TEST_F(TaskFilesTest, WhatIsWrittenIsRead) {
  const TaskFiles files = Open();
  TaskRecord record;
  record.created = absl::FromUnixMicros(123);
  record.spec.id = "a";
  record.spec.image = "image:1";
  record.spec.args = {{"x", ""}};
  record.spec.env = {{"K", "v\n\xc3\xa4"}};
  record.spec.cpus = 1.5;
  record.spec.memory = 1 << 20;
  record.spec.timeout = absl::Seconds(9);
  ASSERT_TRUE(files.Write(record).ok());

  const auto read = files.ReadRecord();

  ASSERT_TRUE(read.ok() && read->has_value()) << read.status();
  EXPECT_EQ((*read)->created, record.created);
  EXPECT_FALSE((*read)->spec.command.has_value());
  EXPECT_EQ((*read)->spec.args, record.spec.args);
  EXPECT_EQ((*read)->spec.env, record.spec.env);
  EXPECT_EQ((*read)->spec.cpus, 1.5);
  EXPECT_EQ((*read)->spec.memory, 1u << 20);
  EXPECT_EQ((*read)->spec.timeout, absl::Seconds(9));
}

TEST_F(TaskFilesTest, WhatIsAbsentIsNothing) {
  const TaskFiles files = Open();

  EXPECT_FALSE(files.ReadRecord()->has_value());
  EXPECT_FALSE(files.ReadPlan()->has_value());
  EXPECT_FALSE(files.ReadStop()->has_value());
  EXPECT_FALSE(files.ReadStarted()->has_value());
  EXPECT_FALSE(files.ReadEnd()->has_value());
}

TEST_F(TaskFilesTest, DamagedFilesAreDataLoss) {
  const TaskFiles files = Open();
  ASSERT_TRUE(files.WriteFile("spec.json", "{").ok());
  ASSERT_TRUE(files.WriteFile("status.json", R"({"ended":"x"})").ok());

  EXPECT_TRUE(absl::IsDataLoss(files.ReadRecord().status()));
  EXPECT_TRUE(absl::IsDataLoss(files.ReadEnd().status()));
}

TEST_F(TaskFilesTest, TheLockIsHeldByOneAndAskedForByAll) {
  const TaskFiles files = Open();
  EXPECT_FALSE(*files.IsLocked());
  auto lock = files.TakeLock();
  ASSERT_TRUE(lock.ok() && lock->has_value());

  EXPECT_TRUE(*files.IsLocked());
  EXPECT_FALSE(files.TakeLock()->has_value());
  const pid_t child = fork();
  if (child == 0) _exit(*files.IsLocked() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  lock->reset();
  EXPECT_FALSE(*files.IsLocked());
}

}  // namespace
}  // namespace brume::exec
