#include "testing/server_fixture.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <thread>
#include <vector>

// gRPC as its own clients reach it: clear, by TLS, and through CONNECT.
namespace brume::front {
namespace {

using ::testing::HasSubstr;

struct Answer {
  grpc::Status status;
  std::string message;
};

class GrpcServerTest : public testing::ServerFixture {
 protected:
  std::string Address(uint16_t port) {
    return base::StrCat("127.0.0.1:", port);
  }
  // Each with a connection of its own.
  grpc::ChannelArguments Arguments() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt("test.unique", ++unique_);
    arguments.SetMaxReceiveMessageSize(-1);
    return arguments;
  }
  std::shared_ptr<grpc::Channel> Clear(uint16_t port,
                                       const std::string& authority = "") {
    grpc::ChannelArguments arguments = Arguments();
    if (!authority.empty()) {
      arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority);
    }
    return grpc::CreateCustomChannel(
        Address(port), grpc::InsecureChannelCredentials(), arguments);
  }
  std::shared_ptr<grpc::Channel> ByProxy(const std::string& host,
                                         const std::string& user) {
    grpc::ChannelArguments arguments = Arguments();
    arguments.SetString(GRPC_ARG_HTTP_PROXY,
                        base::StrCat("http://", user, "127.0.0.1:", port_));
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority_->pem();
    return grpc::CreateCustomChannel(host + ":443",
                                     grpc::SslCredentials(options), arguments);
  }

  static Answer Call(const std::shared_ptr<grpc::Channel>& channel,
                     const std::string& method, const std::string& text,
                     grpc::ClientContext* context = nullptr) {
    grpc::ClientContext own;
    if (context == nullptr) {
      own.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(10));
      context = &own;
    }
    grpc::GenericStub stub(channel);
    const grpc::Slice slice(text);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    Answer answer;
    grpc::CompletionQueue queue;
    auto call =
        stub.PrepareUnaryCall(context, "/test.Echo/" + method, request, &queue);
    call->StartCall();
    call->Finish(&response, &answer.status, &answer);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    std::vector<grpc::Slice> slices;
    if (answer.status.ok() && response.Dump(&slices).ok()) {
      for (const grpc::Slice& s : slices) {
        answer.message.append(reinterpret_cast<const char*>(s.begin()),
                              s.size());
      }
    }
    return answer;
  }

  std::atomic<int> unique_{0};
};

TEST_F(GrpcServerTest, ClearTextCallsAreAnswered) {
  Start();
  const auto channel = Clear(port_, "localhost");
  for (int i = 0; i < 3; ++i) {
    const Answer answer = Call(channel, "Say", "hi");
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.message, "host= run= via=0 tls=0 said=hi");
  }
  EXPECT_EQ(Call(channel, "Say", std::string(5000000, 'x')).message.size(),
            5000000u + 28);
}

TEST_F(GrpcServerTest, TheProxysCredentialsTravelWithTheConnection) {
  Start();
  const auto channel = ByProxy("iam.googleapis.com", "run:secret@");
  EXPECT_EQ(Call(channel, "Say", "hi").message,
            "host=iam.googleapis.com run=run via=1 tls=1 said=hi");
  const auto other =
      ByProxy("us-central1-aiplatform.googleapis.com", "offline:secret@");
  EXPECT_EQ(Call(other, "Say", "").message,
            "host=us-central1-aiplatform.googleapis.com run=offline via=1 "
            "tls=1 said=");
  EXPECT_EQ(Call(channel, "Say", "2").message,
            "host=iam.googleapis.com run=run via=1 tls=1 said=2");
  EXPECT_FALSE(
      Call(ByProxy("iam.googleapis.com", "run:wrong@"), "Say", "").status.ok());
}

TEST_F(GrpcServerTest, ErrorsCarryDetails) {
  Start();
  const auto channel = Clear(port_);
  const Answer failed = Call(channel, "Fail", "");
  EXPECT_EQ(failed.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(failed.status.error_message(), "no such thing");
  EXPECT_EQ(failed.status.error_details(), "details");
  EXPECT_EQ(Call(channel, "Other", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, TheAuthorityMustBeOurs) {
  Start();
  EXPECT_EQ(Call(Clear(port_, "evil.example"), "Say", "").status.error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(Call(Clear(port_, "iam.googleapis.com"), "Say", "").message,
              HasSubstr("host=iam.googleapis.com "));
}

TEST_F(GrpcServerTest, WaitsHoldNoThread) {
  Start();
  std::vector<std::thread> threads;
  std::atomic<int> woken = 0;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      if (Call(Clear(port_), "Wait", "").message == "woken") ++woken;
    });
  }
  EXPECT_TRUE(Eventually([&] { return rpc_.events().waiting() == 12; }));
  EXPECT_TRUE(Call(Clear(port_), "Say", "").status.ok());
  rpc_.events().Fire();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(woken, 12);
}

TEST_F(GrpcServerTest, ACancelledCallEndsItsWait) {
  Start();
  grpc::ClientContext context;
  std::thread thread([&] {
    EXPECT_EQ(Call(Clear(port_), "Wait", "", &context).status.error_code(),
              grpc::StatusCode::CANCELLED);
  });
  EXPECT_TRUE(Eventually([&] { return rpc_.events().waiting() == 1; }));
  context.TryCancel();
  thread.join();
  EXPECT_TRUE(Eventually([&] { return rpc_.events().waiting() == 0; }));
}

TEST_F(GrpcServerTest, ConnectionsAreForgottenWhenTheyEnd) {
  Start();
  {
    const auto channel = Clear(port_);
    EXPECT_TRUE(Call(channel, "Say", "").status.ok());
    EXPECT_TRUE(Eventually([&] { return server_->connections() == 1; }));
  }
  EXPECT_TRUE(Eventually([&] { return server_->connections() == 0; }));
}

}  // namespace
}  // namespace brume::front
