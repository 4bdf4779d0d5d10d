#include "exec/local/local_executor.h"

#include "exec/executor_conformance.h"
#include "exec/local/cgroup.h"
#include "exec/local/local_world.h"
#include "exec/local/supervisor.h"
#include "runtime/child_process.h"
#include "store/image/unpack_main.h"

#include <absl/strings/numbers.h>
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace brume::exec {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Local, ExecutorConformanceTest,
                         testing::Values(&LocalWorld::Make));

// Everything below is of this engine.
class LocalExecutorTest : public ExecutorConformanceTest {
 protected:
  LocalWorld& world() { return static_cast<LocalWorld&>(*world_); }

  // Waits for a condition outside the executor.
  static bool Eventually(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return true;
  }
  static std::string ReadFile(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The supervisor of a task, by its command line; -1 when there is none.
  pid_t FindSupervisor(const std::string& id) {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      pid_t pid = 0;
      if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
      const std::string line = ReadFile(entry.path() / "cmdline");
      const std::string folder = fs::canonical(world().task(id)).string();
      if (line.find("__supervise") != std::string::npos &&
          line.find(folder) != std::string::npos) {
        return pid;
      }
    }
    return -1;
  }
  static bool Accept(const base::UniqueFd& listener, std::string_view reply) {
    pollfd wanted = {listener.get(), POLLIN, 0};
    if (poll(&wanted, 1, 20'000) != 1) return false;
    const base::UniqueFd peer(accept(listener.get(), nullptr, nullptr));
    return peer.valid() && send(peer.get(), reply.data(), reply.size(), 0) ==
                               static_cast<ssize_t>(reply.size());
  }
};

INSTANTIATE_TEST_SUITE_P(Local, LocalExecutorTest,
                         testing::Values(&LocalWorld::Make));

TEST_P(LocalExecutorTest, TheTasksNetworkIsOurs) {
  ASSERT_TRUE(
      executor()
          .Start(Shell("a",
                       "nc metadata.google.internal 80; nc 127.0.0.1 443; "
                       "nc -w 1 8.8.8.8 443 2>/dev/null || echo unreachable; "
                       "cat /etc/resolv.conf; grep -c a /etc/hostname"))
          .ok());
  const runtime::SealedListeners listeners = world().AwaitListeners("a");
  ASSERT_TRUE(listeners.https.valid());

  EXPECT_TRUE(Accept(listeners.metadata, "from metadata\n"));
  EXPECT_TRUE(Accept(listeners.https, "from https\n"));

  AwaitEnd("a");
  EXPECT_THAT(Texts("a"),
              ElementsAre("from metadata", "from https", "unreachable",
                          "nameserver 127.0.0.1", "1"));
  EXPECT_TRUE(Eventually([&] { return world().listener_count() == 0; }));
}

TEST_P(LocalExecutorTest, ANewServerGetsTheSameSockets) {
  ASSERT_TRUE(
      executor().Start(Shell("a", "echo ready; nc 169.254.169.254 80")).ok());
  AwaitLine("a", "ready");

  world().Close();  // the program's connection waits meanwhile
  world().Open();
  const runtime::SealedListeners listeners = world().AwaitListeners("a");
  ASSERT_TRUE(listeners.metadata.valid());
  EXPECT_TRUE(Accept(listeners.metadata, "answered\n"));

  AwaitEnd("a");
  EXPECT_THAT(Texts("a"), ElementsAre("ready", "answered"));
}

TEST_P(LocalExecutorTest, ATaskThatEndedMeanwhileHasItsTrueResult) {
  ASSERT_TRUE(
      executor().Start(Shell("a", "echo ready; nc 127.0.0.1 80; exit 9")).ok());
  const runtime::SealedListeners listeners = world().AwaitListeners("a");
  AwaitLine("a", "ready");
  world().Close();
  EXPECT_TRUE(Accept(listeners.http, "go on\n"));
  EXPECT_TRUE(Eventually(
      [&] { return fs::exists(world().task("a") / "status.json"); }));

  world().Open();

  EXPECT_EQ(AwaitEnd("a").exit_code, 9);
  EXPECT_THAT(Texts("a"), ElementsAre("ready", "go on"));
}

TEST_P(LocalExecutorTest, ATaskWhoseSupervisorDiedIsLost) {
  ASSERT_TRUE(executor().Start(Shell("a", "echo ready; sleep 1000")).ok());
  AwaitLine("a", "ready");
  const pid_t supervisor = FindSupervisor("a");
  ASSERT_GT(supervisor, 0);
  const std::string pid = ReadFile(world().task("a") / "run/pid");

  kill(supervisor, SIGKILL);
  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kLost);
  EXPECT_THAT(result.message, HasSubstr("supervised"));
  EXPECT_THAT(Texts("a"), ElementsAre("ready"));
  // The program does not go on unseen.
  EXPECT_TRUE(Eventually([&] {
    const std::string stat = ReadFile("/proc/" + pid + "/stat");
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  })) << pid;
}

TEST_P(LocalExecutorTest, ASupervisorThatDiedWhileTheServerWasAwayIsNoticed) {
  ASSERT_TRUE(executor().Start(Shell("a", "echo ready; sleep 1000")).ok());
  AwaitLine("a", "ready");
  const pid_t supervisor = FindSupervisor("a");
  ASSERT_GT(supervisor, 0);
  world().Close();
  kill(supervisor, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return FindSupervisor("a") == -1; }));

  world().Open();

  EXPECT_EQ(AwaitEnd("a").cause, TaskResult::Cause::kLost);
}

TEST_P(LocalExecutorTest, NothingOfAContainerStays) {
  ASSERT_TRUE(
      executor().Start(Shell("a", "echo x > /new; mkdir -p /d/e")).ok());
  AwaitEnd("a");

  EXPECT_TRUE(
      Eventually([&] { return !fs::exists(world().task("a") / "upper"); }));
  EXPECT_TRUE(Eventually([&] { return FindSupervisor("a") == -1; }));
  EXPECT_FALSE(fs::exists(world().task("a") / "run"));
  for (const auto& entry : fs::directory_iterator(world().task("a"))) {
    EXPECT_TRUE(entry.is_regular_file() || entry.is_socket()) << entry.path();
  }
}

TEST_P(LocalExecutorTest, OurCaIsInTheBundle) {
  const fs::path ca = world().folder() / "ca.pem";
  std::ofstream(ca) << "-----BEGIN CERTIFICATE-----\nour certificate\n"
                       "-----END CERTIFICATE-----\n";
  world().Close();
  world().set_ca_file(ca);
  world().Open();
  TaskSpec spec = Shell("a",
                        "grep -c 'our certificate' $SSL_CERT_FILE "
                        "$REQUESTS_CA_BUNDLE; id -u");
  spec.image = "test/app";

  ASSERT_TRUE(executor().Start(spec).ok());
  AwaitEnd("a");

  EXPECT_THAT(Texts("a"),
              ElementsAre("/etc/ssl/certs/ca-certificates.crt:1",
                          "/etc/ssl/certs/ca-certificates.crt:1", "1000"));
}

TEST_P(LocalExecutorTest, MemoryLimitsAreKeptAndTold) {
  if (!DetectCgroups().memory) {
    GTEST_SKIP() << "no memory cgroup that this user may make";
  }
  TaskSpec spec = Shell("a", "tail /dev/zero");
  spec.memory = 32 << 20;
  ASSERT_TRUE(executor().Start(spec).ok());

  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kOutOfMemory) << result.message;
  EXPECT_EQ(result.exit_code, 137);
}

TEST_P(LocalExecutorTest, ADamagedLayerStopsTheStartWithItsDigest) {
  // The blob is cut after the image was stored.
  for (const auto& entry :
       fs::recursive_directory_iterator(world().folder() / "blobs")) {
    if (entry.is_regular_file() && entry.file_size() > 100'000) {
      fs::permissions(entry.path(), fs::perms::owner_all);
      fs::resize_file(entry.path(), 50'000);
    }
  }
  ASSERT_TRUE(executor().Start(Shell("a", "true")).ok());

  const TaskResult result = AwaitEnd("a");

  EXPECT_EQ(result.cause, TaskResult::Cause::kStartFailed);
  EXPECT_THAT(result.message, HasSubstr("unpack layer 'sha256:"));
  size_t left = 0;
  for (const auto& entry :
       fs::directory_iterator(world().folder() / "layers")) {
    (void)entry;
    ++left;
  }
  EXPECT_EQ(left, 0u);
}

// Runs all of the above again as a user with subordinate ids, when this is
// root: such a user is made up in a mount namespace of the child's own.
TEST(LocalExecutorAsUserTest, TheSuitePassesAsAnOrdinaryUser) {
  if (geteuid() != 0) GTEST_SKIP() << "this is an ordinary user already";
  if (access("/usr/bin/newuidmap", X_OK) != 0) {
    GTEST_SKIP() << "no newuidmap: install the package 'uidmap'";
  }
  std::string pattern =
      (fs::temp_directory_path() / "exec-user-XXXXXX").string();
  const fs::path top = mkdtemp(pattern.data());
  constexpr uid_t kUid = 54321;
  fs::permissions(top, fs::perms::all);
  fs::create_directory(top / "tmp");
  ASSERT_EQ(chown((top / "tmp").c_str(), kUid, kUid), 0);
  {
    std::ifstream passwd("/etc/passwd");
    std::ofstream(top / "passwd")
        << passwd.rdbuf() << "brumetest:x:54321:54321::/:/bin/sh\n";
    std::ofstream(top / "subid") << "brumetest:300000:65536\n";
  }
  const pid_t child = fork();
  if (child == 0) {
    const bool ready =
        unshare(CLONE_NEWNS) == 0 &&
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount((top / "passwd").c_str(), "/etc/passwd", nullptr, MS_BIND,
              nullptr) == 0 &&
        mount((top / "subid").c_str(), "/etc/subuid", nullptr, MS_BIND,
              nullptr) == 0 &&
        mount((top / "subid").c_str(), "/etc/subgid", nullptr, MS_BIND,
              nullptr) == 0 &&
        setgid(kUid) == 0 && setuid(kUid) == 0;
    if (!ready) {
      std::perror("become an ordinary user");
      _exit(125);
    }
    setenv("TMPDIR", (top / "tmp").c_str(), 1);
    setenv("HOME", "/", 1);
    // The outer run's report is root's to write.
    unsetenv("GTEST_OUTPUT");
    execl("/proc/self/exe", "local_executor_test_as_user",
          "--gtest_filter=Local/*", "--gtest_color=no", nullptr);
    _exit(126);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  fs::remove_all(top);
}

}  // namespace
}  // namespace brume::exec

// The program's hidden modes, then the tests.
int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__supervise") {
    return brume::exec::SuperviseMain(argc - 2, argv + 2);
  }
  if (argc > 1 && std::string_view(argv[1]) == "__unpack") {
    return brume::store::image::UnpackMain(argc - 2, argv + 2);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
