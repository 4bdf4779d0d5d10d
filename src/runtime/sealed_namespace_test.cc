#include "runtime/sealed_namespace.h"

#include "runtime/id_mapping.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>

namespace brume::runtime {
namespace {

// Runs `body` in a child that entered; its exit code.
int RunInside(const SealedNamespace& ns, const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    if (!ns.Enter().ok()) _exit(99);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int ConnectTo(const char* ip, uint16_t port) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip, &address.sin_addr);
  return connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)) == 0
             ? 0
             : errno;
}

bool HasConnection(const base::UniqueFd& listener) {
  pollfd wanted = {listener.get(), POLLIN, 0};
  if (poll(&wanted, 1, 2000) != 1) return false;
  base::UniqueFd accepted(accept(listener.get(), nullptr, nullptr));
  return accepted.valid();
}

class SealedNamespaceTest
    : public testing::TestWithParam<SealedNamespace::Mapping> {
 protected:
  void SetUp() override {
    SealedNamespace::Options options;
    options.mapping = GetParam();
    options.proxy_port = 9443;
    if (GetParam() == SealedNamespace::Mapping::kNone && geteuid() != 0) {
      GTEST_SKIP() << "a namespace without a user namespace needs root";
    }
    if (GetParam() == SealedNamespace::Mapping::kSubordinate &&
        !OwnSubordinateIds().ok()) {
      GTEST_SKIP() << OwnSubordinateIds().status();
    }
    auto created = SealedNamespace::Create(options);
    ASSERT_TRUE(created.ok()) << created.status();
    ns_ = *std::move(created);
  }
  std::unique_ptr<SealedNamespace> ns_;
};

TEST_P(SealedNamespaceTest, ConnectionsInsideArriveOutside) {
  struct Case {
    const char* ip;
    uint16_t port;
    const base::UniqueFd* listener;
  };
  const SealedListeners& in = ns_->listeners();
  for (const Case& c :
       {Case{"127.0.0.1", 443, &in.https}, Case{"127.0.0.1", 80, &in.http},
        Case{"169.254.169.254", 80, &in.metadata},
        Case{"127.0.0.1", 53, &in.dns_tcp},
        Case{"127.0.0.1", 9443, &in.proxy}}) {
    EXPECT_EQ(RunInside(*ns_, [&] { return ConnectTo(c.ip, c.port); }), 0)
        << c.ip << ":" << c.port;
    EXPECT_TRUE(HasConnection(*c.listener)) << c.ip << ":" << c.port;
  }
}

TEST_P(SealedNamespaceTest, DatagramsInsideArriveOutside) {
  const int code = RunInside(*ns_, [] {
    base::UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sendto(fd.get(), "q", 1, 0, reinterpret_cast<sockaddr*>(&address),
                  sizeof(address)) == 1
               ? 0
               : 1;
  });
  char byte = 0;

  EXPECT_EQ(code, 0);
  pollfd wanted = {ns_->listeners().dns_udp.get(), POLLIN, 0};
  ASSERT_EQ(poll(&wanted, 1, 2000), 1);
  EXPECT_EQ(recv(wanted.fd, &byte, 1, 0), 1);
}

TEST_P(SealedNamespaceTest, NothingElseIsReachable) {
  EXPECT_EQ(RunInside(*ns_, [] { return ConnectTo("8.8.8.8", 443); }),
            ENETUNREACH);
}

TEST_P(SealedNamespaceTest, UserIdInsideIsAsMapped) {
  const uid_t outside = geteuid();
  const uid_t expected =
      GetParam() == SealedNamespace::Mapping::kSubordinate ? 0 : outside;

  EXPECT_EQ(RunInside(*ns_, [&] { return geteuid() == expected ? 0 : 1; }), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Mappings, SealedNamespaceTest,
    testing::Values(SealedNamespace::Mapping::kNone,
                    SealedNamespace::Mapping::kSelf,
                    SealedNamespace::Mapping::kSubordinate),
    [](const auto& info) {
      switch (info.param) {
        case SealedNamespace::Mapping::kNone:
          return "None";
        case SealedNamespace::Mapping::kSelf:
          return "Self";
        case SealedNamespace::Mapping::kSubordinate:
          break;
      }
      return "Subordinate";
    });

TEST(IdMappingTest, LargestRangeOfNameOrIdIsFound) {
  const std::string_view text =
      "ann:100000:65536\n1000:300000:10\nbob:200000:5\nbob:400000:70000\n";

  EXPECT_EQ(FindSubordinateRange(text, "bob", 7)->first, 400000u);
  EXPECT_EQ(FindSubordinateRange(text, "eve", 1000)->count, 10u);
  EXPECT_FALSE(FindSubordinateRange(text, "eve", 7).has_value());
  EXPECT_FALSE(FindSubordinateRange("bob:x:1\nbob:1\n", "bob", 7).has_value());
}

}  // namespace
}  // namespace brume::runtime
