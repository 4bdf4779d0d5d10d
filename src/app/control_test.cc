#include "app/control_address.h"
#include "app/control_client.h"
#include "app/control_server.h"
#include "base/unique_fd.h"
#include "runtime/fd_passing.h"

#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace brume::app {
namespace {

namespace json = boost::json;

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    std::string name = testing::TempDir() + "brume-control-XXXXXX";
    top_ = mkdtemp(name.data());
  }
  ~ControlTest() override { std::filesystem::remove_all(top_); }

  std::unique_ptr<ControlServer> Serve(
      const std::string& folder,
      std::function<ControlServer::Reply(ControlServer::Request)> handle) {
    auto server = ControlServer::Create({.folder = folder,
                                         .handle = std::move(handle),
                                         .closed = [this](uint64_t) {
                                           if (!closed_.HasBeenNotified())
                                             closed_.Notify();
                                         }});
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }

  std::string top_;
  absl::Notification closed_;
};

TEST_F(ControlTest, RequestsAndDescriptorsArriveAndErrorsComeBack) {
  const auto server =
      Serve(top_, [](ControlServer::Request request) -> ControlServer::Reply {
        if (request.op == "fail") return absl::NotFoundError("no such thing");
        for (const base::UniqueFd& fd : request.fds) {
          EXPECT_EQ(::write(fd.get(), "x", 1), 1);
        }
        return json::object{{"fds", request.fds.size()},
                            {"echo", request.fields.at("word")}};
      });
  auto client = *ControlClient::Connect(top_);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const base::UniqueFd read_end(ends[0]);
  const base::UniqueFd write_end(ends[1]);
  const auto reply =
      client->Call("echo", {{"word", "hello"}}, {write_end.get()});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->at("echo").as_string(), "hello");
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
  EXPECT_EQ(client->Call("fail").status(),
            absl::NotFoundError("no such thing"));
  client.reset();
  closed_.WaitForNotification();
}

TEST_F(ControlTest, TheSocketIsItsOwnersAloneAndGoesWithTheServer) {
  const auto echo = [](ControlServer::Request) { return json::object(); };
  auto server = Serve(top_, echo);
  struct stat info = {};
  ASSERT_EQ(::stat((top_ + "/control.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  server.reset();
  const auto gone = ControlClient::Connect(top_);
  EXPECT_TRUE(absl::IsUnavailable(gone.status())) << gone.status();
  // What a killed server leaves is no obstacle.
  std::filesystem::create_directory(top_ + "/control.sock.d");
  ASSERT_EQ(::symlink("nowhere", (top_ + "/control.sock").c_str()), 0);
  server = Serve(top_, echo);
  EXPECT_TRUE(ControlClient::Connect(top_).ok());
}

TEST_F(ControlTest, APathTooLongForASocketAddressWorks) {
  std::string deep = top_;
  for (int i = 0; i < 4; ++i) deep += "/" + std::string(60, 'd');
  std::filesystem::create_directories(deep);
  const auto server = Serve(
      deep, [](ControlServer::Request) { return json::object{{"a", 1}}; });
  const auto client = ControlClient::Connect(deep);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE((*client)->Call("any").ok());
}

TEST_F(ControlTest, BrokenRequestsAreAnsweredAndTheServerGoesOn) {
  const auto server = Serve(
      top_, [](ControlServer::Request) { return json::object{{"a", 1}}; });
  const auto address = ControlAddress::Of(top_);
  ASSERT_TRUE(address.ok());
  const base::UniqueFd raw(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(raw.get(), address->get(), address->size()), 0);
  for (const std::string_view line : {"{]\n", "[1]\n", "{\"op\":3}\n", "\n"}) {
    ASSERT_TRUE(runtime::SendWithFds(raw.get(), line, {}).ok());
    const auto reply = runtime::ReceiveWithFds(raw.get(), 4096);
    ASSERT_TRUE(reply.ok());
    EXPECT_THAT(reply->bytes, testing::HasSubstr("INVALID_ARGUMENT"));
  }
  // A line without an end.
  runtime::SendWithFds(raw.get(), std::string(300'000, 'x'), {}).IgnoreError();
  closed_.WaitForNotification();
  EXPECT_TRUE((*ControlClient::Connect(top_))->Call("any").ok());
}

}  // namespace
}  // namespace brume::app
