#include "front/sealed_service.h"

#include "runtime/fd_passing.h"
#include "testing/server_fixture.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace brume::front {
namespace {

using runtime::SealedNamespace;
using ::testing::HasSubstr;
using testing::TestClient;

struct Target {
  const char* ip;
  uint16_t port;
  int type = SOCK_STREAM;
  uint16_t from = 0;  // 0: any port
};

base::UniqueFd ConnectTo(const Target& target) {
  base::UniqueFd fd(::socket(AF_INET, target.type, 0));
  const timeval limit{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (target.from != 0) {
    address.sin_port = htons(target.from);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  address.sin_port = htons(target.port);
  inet_pton(AF_INET, target.ip, &address.sin_addr);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
                sizeof address) != 0) {
    fd.Reset();
  }
  return fd;
}

class SealedServiceTest : public testing::ServerFixture {
 protected:
  void SetUp() override {
    ServerFixture::SetUp();
    SealedNamespace::Options options;
    options.mapping = SealedNamespace::DefaultMapping();
    options.proxy_port = 9443;
    auto made = SealedNamespace::Create(options);
    if (!made.ok()) GTEST_SKIP() << made.status();
    namespace_ = *std::move(made);
    Start();
  }
  void TearDown() override {
    service_ = nullptr;
    ServerFixture::TearDown();
  }

  void Seal(SealedService::Options options) {
    auto service = SealedService::Create(*server_, namespace_->listeners(),
                                         std::move(options));
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
  }

  // A socket that a process inside has connected.
  base::UniqueFd Inside(const Target& target) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      return {};
    }
    const base::UniqueFd ours(pair[0]);
    base::UniqueFd theirs(pair[1]);
    const pid_t child = fork();
    if (child == 0) {
      if (!namespace_->Enter().ok()) _exit(1);
      const base::UniqueFd fd = ConnectTo(target);
      if (!fd.valid()) _exit(2);
      const int passed = fd.get();
      const bool sent =
          runtime::SendWithFds(theirs.get(), "x", absl::MakeSpan(&passed, 1))
              .ok();
      _exit(sent ? 0 : 3);
    }
    theirs.Reset();
    auto received = runtime::ReceiveWithFds(ours.get(), 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << target.ip << ":" << target.port;
    if (!received.ok() || received->fds.empty()) return {};
    return std::move(received->fds[0]);
  }

  std::unique_ptr<SealedNamespace> namespace_;
  std::unique_ptr<SealedService> service_;
};

TEST_F(SealedServiceTest, ProgramsInsideReachBrumeOnEveryPort) {
  Seal({.run = "job/7", .account = "sa@p.iam", .project = "p"});
  TestClient https(Inside({"127.0.0.1", 443}));
  ASSERT_TRUE(https.StartTls(authority_->pem(), "storage.googleapis.com"));
  EXPECT_THAT(https.Ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n").body,
              HasSubstr("run: job/7\nvia: 2\ntls: 1\n"));
  TestClient http(Inside({"127.0.0.1", 80}));
  EXPECT_THAT(
      http.Ask("GET /echo HTTP/1.1\r\nHost: iam.googleapis.com\r\n\r\n").body,
      HasSubstr("host: iam.googleapis.com\n"));
  TestClient metadata(Inside({"169.254.169.254", 80}));
  EXPECT_THAT(
      metadata.Ask("GET /echo HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n").body,
      HasSubstr("via: 3\ntls: 0\naccount: sa@p.iam\n"));
  TestClient proxy(Inside({"127.0.0.1", 9443}));
  proxy.Send("CONNECT iam.googleapis.com:443 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(proxy.ReadReply(true).status, 200);
  ASSERT_TRUE(proxy.StartTls(authority_->pem(), "iam.googleapis.com"));

  const base::UniqueFd dns = Inside({"127.0.0.1", 53, SOCK_DGRAM});
  const std::string query(
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x08metadata\x00\x00"
      "\x01\x00\x01",
      26);
  ASSERT_EQ(::send(dns.get(), query.data(), query.size(), 0), 26);
  char answer[512];
  const ssize_t n = ::recv(dns.get(), answer, sizeof answer, 0);
  ASSERT_GT(n, 4);
  EXPECT_EQ(std::string(answer + n - 4, 4), "\xa9\xfe\xa9\xfe");
}

TEST_F(SealedServiceTest, TheServiceEndsWithItsObject) {
  Seal({.run = "r"});
  TestClient client(Inside({"127.0.0.1", 80}));
  EXPECT_EQ(
      client.Ask("GET /text/1 HTTP/1.1\r\nHost: localhost\r\n\r\n").status,
      200);
  service_ = nullptr;
  EXPECT_TRUE(client.Ended());
  // The server goes on.
  EXPECT_EQ(TestClient(port_)
                .Ask("GET /text/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .status,
            200);
}

std::string Say(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  context.set_authority("localhost");
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(10));
  grpc::GenericStub stub(channel);
  const grpc::Slice slice("hi");
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::Status status;
  grpc::CompletionQueue queue;
  auto call =
      stub.PrepareUnaryCall(&context, "/test.Echo/Say", request, &queue);
  call->StartCall();
  call->Finish(&response, &status, &status);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  grpc::Slice whole;
  if (!status.ok() || !response.DumpToSingleSlice(&whole).ok()) {
    return status.error_message();
  }
  return std::string(reinterpret_cast<const char*>(whole.begin()),
                     whole.size());
}

TEST_F(SealedServiceTest, SameAddressesInTwoNamespacesAreTwoClients) {
  Seal({.run = "job/7"});
  // A port that is free here, for both.
  uint16_t from = 0;
  {
    const auto free = ListenLoopback(0);
    ASSERT_TRUE(free.ok());
    from = PortOf(*free).value_or(0);
  }
  base::UniqueFd inside = Inside({"127.0.0.1", 80, SOCK_STREAM, from});
  base::UniqueFd outside = ConnectTo({"127.0.0.1", port_, SOCK_STREAM, from});
  ASSERT_TRUE(inside.valid());
  ASSERT_TRUE(outside.valid());
  const auto one =
      grpc::CreateInsecureChannelFromFd("localhost", inside.Release());
  const auto two =
      grpc::CreateInsecureChannelFromFd("localhost", outside.Release());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Say(one), "host= run=job/7 via=2 tls=0 said=hi");
    EXPECT_EQ(Say(two), "host= run= via=0 tls=0 said=hi");
  }
}

}  // namespace
}  // namespace brume::front
