#include "testing/server_fixture.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <fstream>

// HTTP/1.1 through the whole server, byte for byte.
namespace brume::front {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::TestClient;

constexpr char kGetEcho[] = "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n";

class HttpServerTest : public testing::ServerFixture {
 protected:
  std::string MakeFile(size_t size) {
    std::string bytes;
    bytes.reserve(size);
    for (size_t i = 0; i < size; ++i) {
      bytes.push_back(static_cast<char>('a' + i * 7 % 26));
    }
    std::ofstream(folder_ + "/file", std::ios::binary) << bytes;
    http_.SetFile(folder_ + "/file");
    return bytes;
  }
};

TEST_F(HttpServerTest, AConnectionCarriesManyRequests) {
  Start();
  TestClient client(port_);
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.Ask(kGetEcho);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.body, HasSubstr("target: /echo\n"));
    EXPECT_THAT(reply.body, HasSubstr("host: \n"));
    EXPECT_THAT(reply.head, HasSubstr("\r\nDate: "));
  }
  const auto reply = client.Ask(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
      "hello");
  EXPECT_THAT(reply.body, ::testing::EndsWith("\nhello"));
}

TEST_F(HttpServerTest, RequestsMayComeTogetherOrByteByByte) {
  Start();
  TestClient together(port_);
  together.Send(std::string(kGetEcho) + kGetEcho);
  EXPECT_EQ(together.ReadReply().status, 200);
  EXPECT_EQ(together.ReadReply().status, 200);

  TestClient slow(port_);
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
  for (char c : request) slow.Send(std::string(1, c));
  EXPECT_THAT(slow.ReadReply().body, ::testing::EndsWith("\nabcde"));
}

TEST_F(HttpServerTest, LargeBodiesArriveWhole) {
  Start();
  TestClient client(port_);
  const std::string body(3 * 1000 * 1000, 'b');
  client.Send(
      base::StrCat("POST /count HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Length: ",
                   body.size(), "\r\n\r\n"));
  client.Send(body);
  EXPECT_EQ(client.ReadReply().body, "3000000");
  // Chunked, in chunks that fit no buffer.
  client.Send(
      "POST /count HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n");
  for (int i = 0; i < 30; ++i) {
    client.Send("186a1\r\n").Send(std::string(100001, 'c')).Send("\r\n");
  }
  client.Send("0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(client.ReadReply().body, "3000030");
  EXPECT_EQ(client.Ask(kGetEcho).status, 200);
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  MakeFile(100000);
  TestClient client(port_);
  for (const char* path : {"/text/10", "/file/100000", "/source/3"}) {
    client.Send(
        base::StrCat("HEAD ", path, " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_EQ(client.ReadReply(true).status, 200) << path;
  }
  client.Send("HEAD /text/10 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReadReply(true).head, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_EQ(client.Ask(kGetEcho).status, 200);
}

TEST_F(HttpServerTest, BodilessStatusesHaveNoBody) {
  Start();
  TestClient client(port_);
  for (int status : {204, 304}) {
    const auto reply = client.Ask(base::StrCat(
        "GET /status/", status, " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_EQ(reply.status, status);
    EXPECT_THAT(reply.head, Not(HasSubstr("Content-Length")));
  }
  const auto resume =
      client.Ask("GET /status/308 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(resume.head, StartsWith("HTTP/1.1 308 Resume Incomplete\r\n"));
}

TEST_F(HttpServerTest, SourcesAreChunked) {
  Start();
  TestClient client(port_);
  const auto reply =
      client.Ask("GET /source/1000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.body.size(), 6000u);
  EXPECT_EQ(client.Ask(kGetEcho).status, 200);
}

TEST_F(HttpServerTest, AnHttp10ClientGetsNoChunks) {
  Start();
  TestClient client(port_);
  const auto reply =
      client.Ask("GET /source/10 HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(reply.head, Not(HasSubstr("chunked")));
  EXPECT_EQ(reply.body.size(), 60u);

  TestClient kept(port_);
  const std::string request =
      "GET /echo HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_THAT(kept.Ask(request).head, HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_EQ(kept.Ask(request).status, 200);
}

TEST_F(HttpServerTest, ABrokenSourceEndsTheConnection) {
  Start();
  TestClient client(port_);
  client.Send("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), ::testing::EndsWith("6\r\npiece\n\r\n"));
}

TEST_F(HttpServerTest, FilesOfEverySizeAreSent) {
  Start();
  const std::string bytes = MakeFile(3 * 1024 * 1024);
  TestClient client(port_);
  for (size_t size : {size_t{0}, size_t{1}, size_t{64 * 1024},
                      size_t{64 * 1024 + 1}, bytes.size()}) {
    const auto reply = client.Ask(base::StrCat(
        "GET /file/", size, " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_TRUE(reply.body == bytes.substr(0, size)) << size;
  }
  // A file that has become shorter must not look whole.
  client.Send("GET /file/4000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.ReadUntil("\r\n\r\n");
  EXPECT_EQ(client.ReadAll().size(), bytes.size());
}

TEST_F(HttpServerTest, ContinueIsSentWhenTheBodyIsWanted) {
  Start();
  TestClient client(port_);
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadReply().status, 100);
  client.Send("hi");
  EXPECT_EQ(client.ReadReply().status, 200);

  client.Send(
      "POST /refuse HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadReply().status, 403);
  EXPECT_TRUE(client.Ended());
}

TEST_F(HttpServerTest, ARefusedBodyIsReadAwayIfItIsShort) {
  Start();
  TestClient client(port_);
  client.Send(base::StrCat(
      "POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n"
      "\r\n",
      std::string(200000, 'x'), kGetEcho));
  EXPECT_EQ(client.ReadReply().status, 413);
  EXPECT_EQ(client.ReadReply().status, 200);

  // Of a long one the rest is not wanted, but the reply arrives.
  TestClient large(port_);
  large.Send(
      "POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
      "50000000\r\n\r\n");
  for (int i = 0; i < 500; ++i) large.Send(std::string(100000, 'x'));
  const auto reply = large.ReadReply();
  EXPECT_EQ(reply.status, 413);
  EXPECT_THAT(reply.head, HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpServerTest, GzipBodiesAreInflated) {
  Start();
  z_stream zlib{};
  deflateInit2(&zlib, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string text(100000, 'z');
  std::string packed(100000, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(text.data());
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(packed.data());
  zlib.avail_out = static_cast<uInt>(packed.size());
  deflate(&zlib, Z_FINISH);
  packed.resize(packed.size() - zlib.avail_out);
  deflateEnd(&zlib);
  const auto ask = [](const std::string& body) {
    return base::StrCat(
        "POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n"
        "Content-Length: ",
        body.size(), "\r\n\r\n", body);
  };
  TestClient client(port_);
  EXPECT_EQ(client.Ask(ask(packed)).body, "100000");
  // Several members are one body.
  EXPECT_EQ(client.Ask(ask(packed + packed)).body, "200000");
  EXPECT_EQ(client.Ask(ask("no gzip")).status, 400);
  EXPECT_EQ(client.Ask(ask(packed.substr(0, 40))).status, 400);
}

TEST_F(HttpServerTest, UnclearFramingIsRefused) {
  Start();
  for (const char* fields : {
           "Content-Length: 3\r\nContent-Length: 3\r\n",
           "Content-Length: 3, 3\r\n",
           "Content-Length: 3\r\nContent-Length: 4\r\n",
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Content-Length: -1\r\n",
           "Host: other\r\n",
           "Bad Name: x\r\n",
       }) {
    TestClient client(port_);
    const auto reply = client.Ask(base::StrCat(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\n", fields, "\r\nabc"));
    EXPECT_EQ(reply.status, 400) << fields;
    EXPECT_TRUE(client.Ended());
  }
  TestClient gzip(port_);
  EXPECT_EQ(gzip.Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                     "Transfer-Encoding: gzip, chunked\r\n\r\n")
                .status,
            501);
  TestClient old(port_);
  EXPECT_EQ(old.Ask("POST /echo HTTP/1.0\r\nHost: localhost\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                .status,
            400);
  TestClient chunk(port_);
  EXPECT_EQ(chunk
                .Ask("POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                     "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n")
                .status,
            400);
  // The last one had a handler.
  EXPECT_EQ(http_.abandoned(), 1);
}

TEST_F(HttpServerTest, HeadsThatAreTooLongAreRefused) {
  Start();
  TestClient client(port_);
  client.Send("GET /echo HTTP/1.1\r\nHost: localhost\r\nX: ");
  client.Send(std::string(70 * 1024, 'x'));
  EXPECT_EQ(client.ReadReply().status, 431);
}

TEST_F(HttpServerTest, AClientThatIsTooSlowIsTold) {
  Server::Options options = DefaultOptions();
  options.limits.header_time = absl::Milliseconds(150);
  options.limits.idle_time = absl::Milliseconds(300);
  Start(std::move(options));
  // A byte now and then does not help.
  TestClient head(port_);
  head.Send("GET /echo HTTP/1.1\r\n");
  EXPECT_EQ(head.ReadReply().status, 408);
  TestClient body(port_);
  body.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab");
  EXPECT_EQ(body.ReadReply().status, 408);
  EXPECT_TRUE(Eventually([&] { return http_.abandoned() == 1; }));
  // One that says nothing is just left.
  TestClient silent(port_);
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_FALSE(silent.broken());
}

TEST_F(HttpServerTest, AHandlerLearnsThatItsClientHasGone) {
  Start();
  TestClient client(port_);
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab");
  ASSERT_TRUE(Eventually([&] { return http_.received() == 2; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return http_.abandoned() == 1; }));
}

TEST_F(HttpServerTest, LongPollsHoldNoThread) {
  Start();
  // More than the pool has threads.
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<TestClient>(port_));
    clients.back()->Send(base::StrCat("GET ",
                                      i % 2 == 0 ? "/wait" : "/wait-again",
                                      " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  }
  ASSERT_TRUE(Eventually([&] { return http_.events().waiting() == 20; }));
  EXPECT_EQ(TestClient(port_).Ask(kGetEcho).status, 200);
  http_.events().Fire();
  for (int i = 0; i < 20; i += 2) {
    EXPECT_EQ(clients[i]->ReadReply().body, "woken");
  }
  // The others wait once more.
  ASSERT_TRUE(Eventually([&] { return http_.events().ever() == 30; }));
  http_.events().Fire();
  for (int i = 1; i < 20; i += 2) {
    EXPECT_EQ(clients[i]->ReadReply().body, "woken");
  }
  EXPECT_EQ(clients[0]->Ask(kGetEcho).status, 200);
}

TEST_F(HttpServerTest, ALongPollEndsWithItsClient) {
  Start();
  TestClient client(port_);
  client.Send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return http_.events().waiting() == 1; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return http_.events().waiting() == 0; }));
}

TEST_F(HttpServerTest, WebPagesAndForeignNamesAreRefused) {
  Start();
  EXPECT_EQ(TestClient(port_)
                .Ask("GET /echo HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                .status,
            403);
  EXPECT_EQ(TestClient(port_)
                .Ask("GET /echo HTTP/1.1\r\nHost: localhost\r\n"
                     "Origin: https://evil.example\r\n\r\n")
                .status,
            403);
  EXPECT_EQ(http_.begun(), 0);
}

}  // namespace
}  // namespace brume::front
