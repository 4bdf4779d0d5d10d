#include "front/server.h"

#include "testing/server_fixture.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

// The server's life: listeners, limits, draining.
namespace brume::front {
namespace {

using ::testing::HasSubstr;
using testing::TestClient;

constexpr char kGet[] = "GET /text/2 HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr char kWait[] = "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n";

class ServerTest : public testing::ServerFixture {};

TEST_F(ServerTest, DrainEndsIdleConnectionsAtOnce) {
  Start();
  TestClient used(port_);
  EXPECT_EQ(used.Ask(kGet).status, 200);
  TestClient fresh(port_);
  ASSERT_TRUE(Eventually([&] { return server_->connections() == 2; }));
  const absl::Time begun = absl::Now();
  server_->Drain(absl::Now() + absl::Seconds(30));
  EXPECT_LT(absl::Now() - begun, absl::Seconds(5));
  EXPECT_TRUE(used.Ended());
  EXPECT_TRUE(fresh.Ended());
  EXPECT_TRUE(TestClient(port_).broken());
}

TEST_F(ServerTest, DrainLetsRunningRequestsEnd) {
  Start();
  TestClient upload(port_);
  upload.Send(
      "POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
  ASSERT_TRUE(Eventually([&] { return http_.received() == 2; }));
  std::thread drain([&] { server_->Drain(absl::Now() + absl::Seconds(30)); });
  EXPECT_TRUE(Eventually([&] { return TestClient(port_).broken(); }));
  const auto reply = upload.Ask("cd");
  EXPECT_EQ(reply.body, "4");
  EXPECT_THAT(reply.head, HasSubstr("Connection: close\r\n"));
  drain.join();
}

TEST_F(ServerTest, DrainAnswersLongPolls) {
  Start();
  TestClient client(port_);
  client.Send(kWait);
  ASSERT_TRUE(Eventually([&] { return http_.events().waiting() == 1; }));
  const absl::Time begun = absl::Now();
  server_->Drain(absl::Now() + absl::Seconds(30));
  EXPECT_LT(absl::Now() - begun, absl::Seconds(5));
  EXPECT_EQ(client.ReadReply().body, "woken");
}

TEST_F(ServerTest, DrainCutsOffWhatIsLeftAtItsDeadline) {
  Start();
  TestClient upload(port_);
  upload.Send(
      "POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
  ASSERT_TRUE(Eventually([&] { return http_.received() == 2; }));
  server_->Drain(absl::Now() + absl::Milliseconds(50));
  EXPECT_EQ(server_->connections(), 0u);
  EXPECT_EQ(http_.abandoned(), 1);
}

TEST_F(ServerTest, DestructionEndsEverything) {
  Start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (const char* bytes : {"", "GET", "\x16\x03", kWait, kGet,
                            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    clients.push_back(std::make_unique<TestClient>(port_));
    clients.back()->Send(bytes);
  }
  ASSERT_TRUE(Eventually([&] { return http_.events().waiting() == 1; }));
  server_ = nullptr;
  EXPECT_EQ(http_.events().waiting(), 0u);
  http_.events().Fire();
}

TEST_F(ServerTest, ClosedListenersEndTheirIdleConnectionsOnly) {
  Start();
  Server::ListenerId id = 0;
  const uint16_t other = AddListener({}, false, &id);
  TestClient first(port_);
  TestClient second(other);
  EXPECT_EQ(first.Ask(kGet).status, 200);
  EXPECT_EQ(second.Ask(kGet).status, 200);
  server_->Close(id);
  EXPECT_TRUE(TestClient(other).broken());
  EXPECT_TRUE(second.Ended());
  EXPECT_EQ(first.Ask(kGet).status, 200);
  // Once more, and one that never was.
  server_->Close(id);
  server_->Close(12345);
}

TEST_F(ServerTest, AnIdleConnectionMakesRoom) {
  Server::Options options = DefaultOptions();
  options.max_connections = 3;
  Start(std::move(options));
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<TestClient>(port_));
    EXPECT_EQ(clients.back()->Ask(kGet).status, 200) << i;
  }
  EXPECT_LE(server_->connections(), 3u);
  EXPECT_TRUE(clients.front()->Ended());
}

TEST_F(ServerTest, NameServerAnswersOnBothTransports) {
  Start();
  base::UniqueFd udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(
      ::bind(udp.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
      0);
  address.sin_port = htons(PortOf(udp).value_or(0));
  auto tcp = ListenLoopback(0);
  ASSERT_TRUE(tcp.ok());
  const uint16_t tcp_port = PortOf(*tcp).value_or(0);
  const auto id = server_->ListenDns(std::move(udp), *std::move(tcp));
  ASSERT_TRUE(id.ok()) << id.status();

  const std::string query(
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01q\x00\x00\x01\x00"
      "\x01",
      19);
  const base::UniqueFd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval limit{10, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::sendto(client.get(), query.data(), query.size(), 0,
           reinterpret_cast<sockaddr*>(&address), sizeof address);
  std::string answer(512, '\0');
  const ssize_t n = ::recv(client.get(), answer.data(), answer.size(), 0);
  ASSERT_GT(n, 0);
  answer.resize(static_cast<size_t>(n));
  EXPECT_EQ(answer.substr(answer.size() - 4), std::string("\x7f\0\0\x01", 4));

  TestClient stream(tcp_port);
  const std::string framed = std::string("\x00\x13", 2) + query;
  stream.Send(framed.substr(0, 7)).Send(framed.substr(7) + framed);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(stream.ReadExactly(answer.size() + 2).substr(2), answer);
  }
  server_->Close(*id);
  EXPECT_TRUE(TestClient(tcp_port).broken());
  EXPECT_TRUE(stream.Ended());
}

TEST_F(ServerTest, APortInUseIsSaidSo) {
  Start();
  const auto taken = ListenLoopback(port_);
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(taken.status().ToString(), HasSubstr("--port"));
}

TEST_F(ServerTest, StartsQuickly) {
  const absl::Time begun = absl::Now();
  Start();
  EXPECT_EQ(TestClient(port_).Ask(kGet).status, 200);
  EXPECT_LT(absl::Now() - begun, absl::Milliseconds(150));
}

}  // namespace
}  // namespace brume::front
