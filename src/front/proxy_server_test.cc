#include "testing/server_fixture.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <functional>
#include <thread>

// CONNECT, TLS, foreign hosts and the listeners of sealed namespaces.
namespace brume::front {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TestClient;

// base64 of "run:secret", "offline:secret" and "run:wrong".
constexpr char kRun[] = "Proxy-Authorization: Basic cnVuOnNlY3JldA==\r\n";
constexpr char kOffline[] =
    "Proxy-Authorization: Basic b2ZmbGluZTpzZWNyZXQ=\r\n";
constexpr char kWrong[] = "Proxy-Authorization: Basic cnVuOndyb25n\r\n";
constexpr char kGet[] =
    "GET /echo HTTP/1.1\r\nHost: storage.googleapis.com\r\n"
    "\r\n";

std::string Connect(const std::string& target, const std::string& fields = "",
                    const std::string& version = "1.1") {
  return base::StrCat("CONNECT ", target, " HTTP/", version, "\r\n", fields,
                      "\r\n");
}

// Resolves to 127.0.0.1 everywhere (inet_aton), and is no loopback name.
constexpr char kForeign[] = "2130706433";

// A foreign host: gives each connection's first bytes to `answer`, sends what
// that makes, and ends.
class ForeignHost {
 public:
  explicit ForeignHost(std::function<std::string(const std::string&)> answer)
      : socket_(*ListenLoopback(0)), answer_(std::move(answer)) {
    port_ = PortOf(socket_).value_or(0);
    thread_ = std::thread([this] { Run(); });
  }
  ~ForeignHost() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  uint16_t port() const { return port_; }

 private:
  void Run() {
    for (;;) {
      const base::UniqueFd client(
          ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      std::string bytes(64 * 1024, '\0');
      const ssize_t n = ::recv(client.get(), bytes.data(), bytes.size(), 0);
      bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
      const std::string out = answer_(bytes);
      ::send(client.get(), out.data(), out.size(), MSG_NOSIGNAL);
    }
  }

  base::UniqueFd socket_;
  uint16_t port_ = 0;
  std::function<std::string(const std::string&)> answer_;
  std::thread thread_;
};

// The reply to a CONNECT; a refusal's body stays unread.
TestClient::Reply AskConnect(TestClient& client, const std::string& request) {
  client.Send(request);
  return client.ReadReply(true);
}

class ProxyServerTest : public testing::ServerFixture {
 protected:
  ForeignHost echo_{[](const std::string& bytes) { return "echo:" + bytes; }};
};

TEST_F(ProxyServerTest, ConnectAndTlsReachServedHosts) {
  Start();
  for (const char* version : {"1.1", "1.0"}) {
    TestClient client(port_);
    EXPECT_EQ(
        AskConnect(client, Connect("storage.googleapis.com:443", kRun, version))
            .status,
        200);
    ASSERT_TRUE(client.StartTls(authority_->pem(), "storage.googleapis.com"));
    const auto reply = client.Ask(kGet);
    EXPECT_THAT(reply.body, HasSubstr("host: storage.googleapis.com\n"));
    EXPECT_THAT(reply.body,
                HasSubstr("base: https://storage.googleapis.com\n"));
    EXPECT_THAT(reply.body, HasSubstr("run: run\nvia: 1\ntls: 1\n"));
    // And again on the same connection.
    EXPECT_EQ(client.Ask(kGet).status, 200);
  }
}

TEST_F(ProxyServerTest, CertificatesHoldForTheirNamesOnly) {
  Start();
  TestClient wrong(port_);
  AskConnect(wrong, Connect("storage.googleapis.com:443"));
  EXPECT_FALSE(wrong.StartTls(authority_->pem(), "iam.googleapis.com"));
  // TLS without CONNECT: SNI chooses.
  TestClient direct(port_);
  ASSERT_TRUE(direct.StartTls(authority_->pem(), "iam.googleapis.com",
                              "\x02h2\x08http/1.1"));
  EXPECT_THAT(direct.Ask(kGet).body, HasSubstr("host: iam.googleapis.com\n"));
  TestClient local(port_);
  ASSERT_TRUE(local.StartTls(authority_->pem(), "localhost"));
  EXPECT_THAT(local.Ask("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n").body,
              HasSubstr("host: \n"));
  TestClient foreign(port_);
  EXPECT_FALSE(foreign.StartTls(authority_->pem(), "example.com"));
}

TEST_F(ProxyServerTest, LargeRepliesPassTls) {
  Start();
  TestClient client(port_);
  ASSERT_TRUE(client.StartTls(authority_->pem(), "storage.googleapis.com"));
  std::filesystem::path file = folder_ + "/file";
  {
    std::ofstream(file) << std::string(5000000, 'f');
  }
  http_.SetFile(file);
  const auto reply = client.Ask(
      "GET /file/5000000 HTTP/1.1\r\nHost: storage.googleapis.com\r\n\r\n");
  EXPECT_EQ(reply.body, std::string(5000000, 'f'));
  client.Send(
      "POST /count HTTP/1.1\r\nHost: storage.googleapis.com\r\n"
      "Content-Length: 3000000\r\n\r\n");
  EXPECT_EQ(client.Ask(std::string(3000000, 'u')).body, "3000000");
}

TEST_F(ProxyServerTest, ClearTextAfterConnect) {
  Start();
  TestClient client(port_);
  // As Node's gcp-metadata asks.
  AskConnect(client, Connect("metadata.google.internal.:80"));
  EXPECT_THAT(client
                  .Ask("GET /computeMetadata/v1/ HTTP/1.1\r\n"
                       "Host: metadata.google.internal.\r\n\r\n")
                  .body,
              HasSubstr("host: metadata.google.internal\n"));
}

TEST_F(ProxyServerTest, ForeignHostsNeedARun) {
  Start();
  const std::string target = base::StrCat(kForeign, ":", echo_.port());
  TestClient none(port_);
  const auto refused = AskConnect(none, Connect(target));
  EXPECT_EQ(refused.status, 407);
  EXPECT_THAT(refused.head, HasSubstr("Proxy-Authenticate: Basic"));
  // Clients show the reason phrase where they do not show the body.
  EXPECT_THAT(refused.head,
              StartsWith("HTTP/1.1 407 foreign host '2130706433'"));
  TestClient wrong(port_);
  EXPECT_EQ(AskConnect(wrong, Connect(target, kWrong)).status, 407);
  TestClient offline(port_);
  const auto denied = AskConnect(offline, Connect(target, kOffline));
  EXPECT_EQ(denied.status, 403);
  EXPECT_THAT(denied.head, HasSubstr("this run is offline"));

  TestClient run(port_);
  run.Send(Connect(target, kRun));
  EXPECT_THAT(run.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  run.Send("ping");
  EXPECT_EQ(run.ReadAll(), "echo:ping");

  TestClient self(port_);
  EXPECT_EQ(AskConnect(self, Connect("127.0.0.1:22", kRun)).status, 403);
  TestClient closed(port_);
  EXPECT_EQ(AskConnect(closed, Connect("2130706433:1", kRun)).status, 502);
}

TEST_F(ProxyServerTest, NamesOfThisMachineAreNoForeignHosts) {
  Server::Options options = DefaultOptions();
  options.foreign_hosts_on_loopback = false;
  Start(std::move(options));
  TestClient client(port_);
  const auto reply = AskConnect(
      client, Connect(base::StrCat(kForeign, ":", echo_.port()), kRun));
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.head, HasSubstr("is this machine"));
}

TEST_F(ProxyServerTest, AnOfflineServerRefusesForeignHosts) {
  Server::Options options = DefaultOptions();
  options.offline = true;
  Start(std::move(options));
  TestClient client(port_);
  EXPECT_EQ(AskConnect(client, Connect("pypi.org:443", kRun)).status, 403);
  TestClient served(port_);
  EXPECT_EQ(
      AskConnect(served, Connect("storage.googleapis.com:443", kRun)).status,
      200);
}

TEST_F(ProxyServerTest, MalformedConnectsAreRefused) {
  Start();
  for (const char* target : {"nowhere", "host:", "host:99999", ":443"}) {
    TestClient client(port_);
    EXPECT_EQ(AskConnect(client, Connect(target)).status, 400) << target;
  }
  TestClient endless(port_);
  endless.Send("CONNECT a:1 HTTP/1.1\r\nX: " + std::string(20000, 'x'));
  EXPECT_EQ(endless.ReadReply().status, 431);
}

TEST_F(ProxyServerTest, AbsoluteFormIsForTheProxy) {
  Start();
  TestClient client(port_);
  const auto served = client.Ask(
      base::StrCat("GET http://storage.googleapis.com/echo HTTP/1.1\r\n"
                   "Host: storage.googleapis.com\r\n",
                   kRun, "\r\n"));
  EXPECT_THAT(served.body, HasSubstr("run: run\nvia: 1\n"));
  EXPECT_THAT(served.body, ::testing::Not(HasSubstr("roxy-")));
  const std::string foreign =
      base::StrCat("GET http://2130706433:", echo_.port(),
                   "/a?b HTTP/1.1\r\nHost: x\r\nAccept: y\r\n");
  // The same connection goes on to a foreign host.
  client.Send(base::StrCat(foreign, kRun, "\r\n"));
  EXPECT_EQ(
      client.ReadAll(),
      base::StrCat("echo:GET /a?b HTTP/1.1\r\nHost: 2130706433:", echo_.port(),
                   "\r\nAccept: y\r\nConnection: close\r\n\r\n"));

  TestClient none(port_);
  EXPECT_EQ(none.Ask(foreign + "\r\n").status, 407);
  TestClient wrong(port_);
  EXPECT_EQ(wrong.Ask(base::StrCat(foreign, kWrong, "\r\n")).status, 407);
  TestClient offline(port_);
  EXPECT_EQ(offline.Ask(base::StrCat(foreign, kOffline, "\r\n")).status, 403);
}

TEST_F(ProxyServerTest, AnUpstreamProxyIsUsed) {
  ForeignHost proxy([](const std::string& bytes) {
    return bytes.substr(0, 8) == "CONNECT "
               ? "HTTP/1.1 200 fine\r\n\r\nvia proxy: " + bytes
               : "plain: " + bytes;
  });
  Server::Options options = DefaultOptions();
  options.foreign_hosts_on_loopback = false;
  options.upstream_proxy =
      base::StrCat("http://me:pa%40ss@127.0.0.1:", proxy.port());
  Start(std::move(options));
  TestClient client(port_);
  client.Send(Connect("far.example:443", kRun));
  client.ReadUntil("\r\n\r\n");
  EXPECT_THAT(client.ReadAll(),
              StartsWith("via proxy: CONNECT far.example:443 HTTP/1.1\r\n"
                         "Host: far.example:443\r\nProxy-Authorization: Basic "
                         "bWU6cGFAc3M=\r\n"));
  TestClient plain(port_);
  plain.Send(base::StrCat("GET http://far.example/x HTTP/1.1\r\nHost: x\r\n",
                          kRun, "\r\n"));
  EXPECT_THAT(plain.ReadAll(),
              StartsWith("plain: GET http://far.example/x HTTP/1.1\r\n"));
}

TEST_F(ProxyServerTest, SealedListenersServeTheNamedHost) {
  Start();
  api::Origin origin;
  origin.via = api::Origin::Via::kSealed;
  origin.run = "job/1";
  const uint16_t sealed = AddListener(origin);
  TestClient tls(sealed);
  ASSERT_TRUE(tls.StartTls(authority_->pem(), "storage.googleapis.com"));
  EXPECT_THAT(tls.Ask(kGet).body, HasSubstr("run: job/1\nvia: 2\ntls: 1\n"));
  TestClient http(sealed);
  EXPECT_THAT(http.Ask(kGet).body, HasSubstr("host: storage.googleapis.com\n"));
  http.Send(base::StrCat("GET /x HTTP/1.1\r\nHost: 2130706433:", echo_.port(),
                         "\r\n\r\n"));
  EXPECT_THAT(http.ReadAll(), StartsWith("echo:GET /x HTTP/1.1\r\n"));
  // No proxy here.
  TestClient connect(sealed);
  EXPECT_EQ(
      AskConnect(connect, Connect("storage.googleapis.com:443", kRun)).status,
      400);

  const uint16_t offline = AddListener(origin, true);
  EXPECT_EQ(TestClient(offline)
                .Ask(base::StrCat("GET /x HTTP/1.1\r\nHost: 2130706433:",
                                  echo_.port(), "\r\n\r\n"))
                .status,
            403);
  TestClient refused(offline);
  EXPECT_FALSE(refused.StartTls(authority_->pem(), "pypi.org"));
}

TEST_F(ProxyServerTest, ARunsOwnProxyAddressNeedsNoCredentials) {
  Start();
  api::Origin origin;
  origin.run = "job/1";
  const uint16_t port = AddListener(origin);
  TestClient client(port);
  client.Send(Connect(base::StrCat(kForeign, ":", echo_.port())));
  client.ReadUntil("\r\n\r\n");
  client.Send("x");
  EXPECT_EQ(client.ReadAll(), "echo:x");
}

TEST_F(ProxyServerTest, MetadataListenersSpeakForTheirAccount) {
  Start();
  api::Origin origin;
  origin.via = api::Origin::Via::kMetadata;
  origin.account = "a@b.iam.gserviceaccount.com";
  const uint16_t metadata = AddListener(origin);
  for (const char* host :
       {"169.254.169.254", "metadata.google.internal", "127.0.0.1:9"}) {
    const auto reply = TestClient(metadata).Ask(
        base::StrCat("GET /echo HTTP/1.1\r\nHost: ", host, "\r\n\r\n"));
    EXPECT_THAT(reply.body, HasSubstr("host: metadata.google.internal\n"));
    EXPECT_THAT(reply.body, HasSubstr("account: a@b.iam"));
  }
  EXPECT_EQ(TestClient(metadata)
                .Ask("GET /echo HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                .status,
            403);
}

}  // namespace
}  // namespace brume::front
