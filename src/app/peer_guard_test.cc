#include "app/peer_guard.h"

#include "base/unique_fd.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace brume::app {
namespace {

api::RequestHead From(std::string peer, api::Origin::Via via) {
  api::RequestHead head;
  head.origin.via = via;
  head.origin.peer = std::move(peer);
  return head;
}

TEST(PeerGuardTest, OnlyTheServersUserAndRootPass) {
  using Via = api::Origin::Via;
  std::optional<uid_t> user;
  const PeerGuard guard([&](std::string_view) { return user; });
  const auto refuses = [&](std::optional<uid_t> who) {
    user = who;
    return guard.Owns(From("127.0.0.1:5000", Via::kMetadata));
  };
  EXPECT_FALSE(refuses(::geteuid()));
  EXPECT_FALSE(refuses(0));
  EXPECT_TRUE(refuses(::geteuid() + 1));
  EXPECT_TRUE(refuses(std::nullopt));
  // Not its business: other ways in, and namespaces of their own.
  EXPECT_FALSE(guard.Owns(From("127.0.0.1:5000", Via::kDirect)));
  EXPECT_FALSE(guard.Owns(From("169.254.169.254:5000", Via::kMetadata)));
}

TEST(PeerGuardTest, ReadsTheKernelsTable) {
  constexpr std::string_view kTable =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
      "retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1234 0100007F:20FB 01 00000000:00000000 00:00000000 "
      "00000000  1000        0 4242 1 0\n"
      "   1: 0100007F:20FB 0100007F:1234 01 00000000:00000000 00:00000000 "
      "00000000     7        0 4243 1 0\n";
  EXPECT_EQ(FindSocketUser(kTable, "127.0.0.1:4660"), 1000u);
  EXPECT_EQ(FindSocketUser(kTable, "127.0.0.1:4661"), std::nullopt);
  EXPECT_EQ(FindSocketUser(kTable, "nobody"), std::nullopt);
  EXPECT_EQ(FindSocketUser("", "127.0.0.1:4660"), std::nullopt);
}

TEST(PeerGuardTest, FindsTheUserOfARealConnection) {
  const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* where = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), where, size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), where, &size), 0);
  const base::UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_EQ(::connect(client.get(), where, size), 0);
  ASSERT_EQ(::getsockname(client.get(), where, &size), 0);
  EXPECT_EQ(
      LoopbackUser("127.0.0.1:" + std::to_string(ntohs(address.sin_port))),
      ::geteuid());
}

}  // namespace
}  // namespace brume::app
