#pragma once

#include "exec/executor_world.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What every engine must do. Include it in the engine's test and instantiate:
//   INSTANTIATE_TEST_SUITE_P(Local, ExecutorConformanceTest,
//                            testing::Values(&MakeLocalWorld));
namespace brume::exec {

class ExecutorConformanceTest
    : public testing::TestWithParam<ExecutorWorldFactory> {
 protected:
  static constexpr absl::Duration kPatience = absl::Seconds(30);

  void SetUp() override {
    world_ = GetParam()();
    ASSERT_NE(world_, nullptr);
    if (const std::string why = world_->Unable(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }

  Executor& executor() { return world_->executor(); }

  static TaskSpec Shell(std::string id, std::string script) {
    TaskSpec spec;
    spec.id = std::move(id);
    spec.image = "test/shell";
    spec.command = {{"/bin/sh", "-c", std::move(script)}};
    return spec;
  }
  // Waits until `done` says so of the task's status.
  TaskStatus Await(const std::string& id,
                   const std::function<bool(const TaskStatus&)>& done) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (true) {
      const auto status = executor().Inspect(id);
      if (!status.ok()) {
        ADD_FAILURE() << status.status();
        return {};
      }
      if (done(*status)) return *status;
      if (absl::Now() > deadline) {
        ADD_FAILURE() << "task '" << id << "' stays in state "
                      << static_cast<int>(status->state);
        return *status;
      }
      executor().WaitForChange(absl::Now() + absl::Seconds(1));
    }
  }
  TaskResult AwaitEnd(const std::string& id) {
    const TaskStatus status = Await(id, [](const TaskStatus& now) {
      return now.state == TaskState::kEnded;
    });
    return status.result.value_or(TaskResult{TaskResult::Cause::kLost, -1, ""});
  }
  std::vector<OutputLine> Lines(const std::string& id) {
    std::vector<OutputLine> all;
    uint64_t position = 0;
    while (true) {
      auto some = executor().ReadOutput(id, &position);
      EXPECT_TRUE(some.ok()) << some.status();
      if (!some.ok() || some->empty()) return all;
      for (OutputLine& line : *some) all.push_back(std::move(line));
    }
  }
  std::vector<std::string> Texts(const std::string& id) {
    std::vector<std::string> texts;
    for (OutputLine& line : Lines(id)) texts.push_back(std::move(line.text));
    return texts;
  }
  void AwaitLine(const std::string& id, const std::string& text) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (absl::Now() < deadline) {
      const auto status = executor().Inspect(id);
      const bool ended = status.ok() && status->state == TaskState::kEnded;
      for (const std::string& line : Texts(id)) {
        if (line == text) return;
      }
      if (ended) {
        ADD_FAILURE() << status->result->message;
        break;
      }
      executor().WaitForChange(absl::Now() + absl::Seconds(1));
    }
    ADD_FAILURE() << "task '" << id << "' never printed '" << text << "'";
  }
  // Runs a script to its end; its output.
  std::vector<std::string> RunShell(const std::string& script) {
    const std::string id = "run-" + std::to_string(++runs_);
    EXPECT_TRUE(executor().Start(Shell(id, script)).ok());
    const TaskResult result = AwaitEnd(id);
    EXPECT_EQ(result.cause, TaskResult::Cause::kExited) << result.message;
    return Texts(id);
  }

  std::unique_ptr<ExecutorWorld> world_;
  int runs_ = 0;
};

TEST_P(ExecutorConformanceTest, ExitCodeTimesAndBothOutputsAreTold) {
  const absl::Time before = absl::Now() - absl::Milliseconds(1);
  ASSERT_TRUE(
      executor().Start(Shell("a", "echo out; echo err >&2; exit 7")).ok());

  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kExited);
  EXPECT_EQ(result.exit_code, 7);
  const auto status = executor().Inspect("a");
  ASSERT_TRUE(status.ok());
  ASSERT_TRUE(status->started.has_value() && status->ended.has_value());
  EXPECT_LE(before, status->created);
  EXPECT_LE(status->created, *status->started);
  EXPECT_LE(*status->started, *status->ended);
  ASSERT_EQ(Lines("a").size(), 2u);
  for (const OutputLine& line : Lines("a")) {
    EXPECT_EQ(line.text, line.is_stderr ? "err" : "out");
    EXPECT_LE(before, line.time);
  }
}

TEST_P(ExecutorConformanceTest, OutputComesWhileTheProgramRuns) {
  ASSERT_TRUE(
      executor().Start(Shell("a", "echo first; read x </dev/zero")).ok());

  AwaitLine("a", "first");

  EXPECT_EQ(executor().Inspect("a")->state, TaskState::kRunning);
  ASSERT_TRUE(executor().Stop("a", absl::ZeroDuration()).ok());
  AwaitEnd("a");
}

TEST_P(ExecutorConformanceTest, MuchOutputAndALastLineWithoutNewlineAreKept) {
  ASSERT_TRUE(executor().Start(Shell("a", "seq 1 100000; printf end")).ok());
  AwaitEnd("a");

  const std::vector<std::string> texts = Texts("a");

  ASSERT_EQ(texts.size(), 100'001u);
  EXPECT_EQ(texts[99'999], "100000");
  EXPECT_EQ(texts.back(), "end");
}

TEST_P(ExecutorConformanceTest, TheImagesSettingsHold) {
  TaskSpec spec;
  spec.id = "cmd";
  spec.image = "test/app";
  ASSERT_TRUE(executor().Start(spec).ok());
  spec.id = "args";
  spec.args = {{"arg"}};
  ASSERT_TRUE(executor().Start(spec).ok());
  spec.id = "command";
  spec.hostname = "a-host";
  spec.env["FROM_TASK"] = "task";
  spec.command = {{"sh", "-c"}};
  spec.args = {
      {"id -u; id -g; pwd; echo $HOME $FROM_IMAGE $FROM_TASK; "
       "test -e /removed || echo removed; test -e /kept && echo kept; "
       "hostname"}};
  ASSERT_TRUE(executor().Start(spec).ok());

  AwaitEnd("cmd");
  EXPECT_THAT(Texts("cmd"), testing::ElementsAre("entry cmd"));
  AwaitEnd("args");
  EXPECT_THAT(Texts("args"), testing::ElementsAre("entry arg"));
  AwaitEnd("command");
  EXPECT_THAT(
      Texts("command"),
      testing::ElementsAre("1000", "1000", "/made/here", "/home/app image task",
                           "removed", "kept", "a-host"));
}

TEST_P(ExecutorConformanceTest, WhatCannotStartSaysWhy) {
  TaskSpec spec = Shell("image", "true");
  spec.image = "nowhere.example/none:1";
  ASSERT_TRUE(executor().Start(spec).ok());
  spec = Shell("program", "");
  spec.command = {{"no-such-program"}};
  ASSERT_TRUE(executor().Start(spec).ok());

  const TaskResult image = AwaitEnd("image");
  const TaskResult program = AwaitEnd("program");

  EXPECT_EQ(image.cause, TaskResult::Cause::kStartFailed);
  EXPECT_THAT(image.message, testing::HasSubstr("nowhere.example/none:1"));
  EXPECT_EQ(program.cause, TaskResult::Cause::kStartFailed);
  EXPECT_EQ(program.exit_code, 127);
  EXPECT_THAT(program.message, testing::HasSubstr("no-such-program"));
  EXPECT_FALSE(executor().Inspect("program")->started.has_value());
}

TEST_P(ExecutorConformanceTest, AStoppedProgramMayTidyUp) {
  ASSERT_TRUE(executor()
                  .Start(Shell("a",
                               "trap 'echo bye; exit 5' TERM; echo ready; "
                               "while true; do sleep 0.05; done"))
                  .ok());
  AwaitLine("a", "ready");

  ASSERT_TRUE(executor().Stop("a", absl::Seconds(30)).ok());
  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kCancelled);
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(Texts("a"), testing::ElementsAre("ready", "bye"));
  EXPECT_TRUE(executor().Stop("a", absl::Seconds(1)).ok());
}

TEST_P(ExecutorConformanceTest, AProgramThatWillNotStopIsKilled) {
  ASSERT_TRUE(executor()
                  .Start(Shell("a",
                               "trap '' TERM; echo ready; "
                               "while true; do sleep 0.05; done"))
                  .ok());
  AwaitLine("a", "ready");

  ASSERT_TRUE(executor().Stop("a", absl::Milliseconds(100)).ok());
  EXPECT_EQ(executor().Inspect("a")->state, TaskState::kStopping);
  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kCancelled);
  EXPECT_EQ(result.exit_code, 128 + 9);
}

TEST_P(ExecutorConformanceTest, ATaskStoppedAtOnceEndsCancelled) {
  ASSERT_TRUE(executor().Start(Shell("a", "sleep 1000")).ok());

  ASSERT_TRUE(executor().Stop("a", absl::ZeroDuration()).ok());

  EXPECT_EQ(AwaitEnd("a").cause, TaskResult::Cause::kCancelled);
}

TEST_P(ExecutorConformanceTest, TimeoutsEndPrograms) {
  TaskSpec spec = Shell("a",
                        "trap 'exit 3' TERM; echo ready; "
                        "while true; do sleep 0.05; done");
  spec.timeout = absl::Milliseconds(300);
  ASSERT_TRUE(executor().Start(spec).ok());

  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kTimedOut);
  EXPECT_EQ(result.exit_code, 3);
}

TEST_P(ExecutorConformanceTest, ProcessesLeftBehindEndWithTheProgram) {
  ASSERT_TRUE(
      executor().Start(Shell("a", "sleep 1000 & echo started; exit 0")).ok());

  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kExited);
  EXPECT_EQ(result.exit_code, 0);
}

TEST_P(ExecutorConformanceTest, TheProgramIsConfined) {
  EXPECT_THAT(RunShell("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status"),
              testing::ElementsAre("NoNewPrivs:\t1", "Seccomp:\t2"));
  EXPECT_THAT(RunShell("mount -t tmpfs x /tmp 2>/dev/null || echo refused; "
                       "unshare -U true 2>/dev/null || echo refused; "
                       "touch /gcs/x 2>/dev/null || echo refused; "
                       "touch /sys/x 2>/dev/null || echo refused; "
                       "hostname x 2>/dev/null || echo refused"),
              testing::ElementsAre("refused", "refused", "refused", "refused",
                                   "refused"));
  EXPECT_THAT(RunShell("ls -A /gcs; mount | grep -c ' /dev/shm '; "
                       "echo x > /dev/shm/y && echo > /dev/null && echo ok; "
                       "ls /proc | grep -c '^[0-9]*$' | tr 1-4 few"),
              testing::ElementsAre("1", "ok", testing::_));
}

TEST_P(ExecutorConformanceTest, TasksDoNotSeeEachOthersFiles) {
  EXPECT_THAT(RunShell("echo mine > /kept; cat /kept"),
              testing::ElementsAre("mine"));
  EXPECT_THAT(RunShell("cat /kept"), testing::ElementsAre("kept"));
}

TEST_P(ExecutorConformanceTest, BadSpecsAndIdsAreRefused) {
  TaskSpec spec = Shell("../x", "true");
  EXPECT_TRUE(absl::IsInvalidArgument(executor().Start(spec)));
  spec = Shell("a", "true");
  spec.image = "UPPER CASE";
  EXPECT_TRUE(absl::IsInvalidArgument(executor().Start(spec)));
  EXPECT_TRUE(absl::IsNotFound(executor().Inspect("none").status()));
  EXPECT_TRUE(absl::IsNotFound(executor().Inspect("../none").status()));
  EXPECT_TRUE(absl::IsNotFound(executor().Stop("none", absl::Seconds(1))));
  EXPECT_TRUE(absl::IsNotFound(executor().Remove("none")));
  uint64_t position = 0;
  EXPECT_TRUE(
      absl::IsNotFound(executor().ReadOutput("none", &position).status()));
}

TEST_P(ExecutorConformanceTest, AnIdIsUsedOnceAndFreedByRemoval) {
  ASSERT_TRUE(executor().Start(Shell("a", "read x </dev/zero")).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(executor().Start(Shell("a", "true"))));
  EXPECT_TRUE(absl::IsFailedPrecondition(executor().Remove("a")));
  EXPECT_THAT(*executor().List(), testing::ElementsAre("a"));
  ASSERT_TRUE(executor().Stop("a", absl::ZeroDuration()).ok());
  AwaitEnd("a");

  ASSERT_TRUE(executor().Remove("a").ok());

  EXPECT_THAT(*executor().List(), testing::IsEmpty());
  EXPECT_TRUE(executor().Start(Shell("a", "exit 2")).ok());
  EXPECT_EQ(AwaitEnd("a").exit_code, 2);
}

TEST_P(ExecutorConformanceTest, ARunningTaskIsFoundAfterARestart) {
  ASSERT_TRUE(executor()
                  .Start(Shell("a",
                               "trap 'echo late; exit 4' TERM; echo early;"
                               " while true; do sleep 0.05; done"))
                  .ok());
  AwaitLine("a", "early");

  world_->Restart();

  EXPECT_EQ(executor().Inspect("a")->state, TaskState::kRunning);
  ASSERT_TRUE(executor().Stop("a", absl::Seconds(30)).ok());
  EXPECT_EQ(AwaitEnd("a").exit_code, 4);
  EXPECT_THAT(Texts("a"), testing::ElementsAre("early", "late"));
}

TEST_P(ExecutorConformanceTest, ATaskThatWasJustStartedSurvivesARestart) {
  for (int i = 0; i < 5; ++i) {
    const std::string id = "a" + std::to_string(i);
    ASSERT_TRUE(executor().Start(Shell(id, "echo once; exit 6")).ok());
    world_->Restart();
    EXPECT_EQ(AwaitEnd(id).exit_code, 6);
    EXPECT_THAT(Texts(id), testing::ElementsAre("once"));
  }
}

TEST_P(ExecutorConformanceTest, ManyTasksRunSideBySide) {
  for (int i = 0; i < 8; ++i) {
    const std::string id = "a" + std::to_string(i);
    ASSERT_TRUE(executor()
                    .Start(Shell(id, "sleep 0.2; exit " + std::to_string(i)))
                    .ok());
  }
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(AwaitEnd("a" + std::to_string(i)).exit_code, i);
  }
}

}  // namespace brume::exec
