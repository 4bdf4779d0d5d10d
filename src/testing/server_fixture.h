#pragma once

#include "base/clock.h"
#include "base/str_cat.h"
#include "front/certificates.h"
#include "front/server.h"
#include "runtime/worker_pool.h"
#include "testing/fake_services.h"
#include "testing/test_client.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace brume::testing {

// A whole server over fake services, on a port of its own.
class ServerFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "front.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    auto authority = front::CertificateAuthority::Create(folder_, &clock_);
    ASSERT_TRUE(authority.ok()) << authority.status();
    authority_ = *std::move(authority);
  }
  void TearDown() override {
    server_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  front::Server::Options DefaultOptions() {
    front::Server::Options options;
    options.http = &http_;
    options.rpc = &rpc_;
    options.runs = &runs_;
    options.authority = authority_.get();
    options.pool = &pool_;
    options.foreign_hosts_on_loopback = true;
    return options;
  }
  void Start(front::Server::Options options) {
    auto server = front::Server::Create(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    port_ = AddListener({});
  }
  void Start() { Start(DefaultOptions()); }

  // Another port of the server.
  uint16_t AddListener(api::Origin origin, bool offline = false,
                       front::Server::ListenerId* id = nullptr) {
    auto socket = front::ListenLoopback(0);
    EXPECT_TRUE(socket.ok()) << socket.status();
    const uint16_t port = front::PortOf(*socket).value_or(0);
    auto listener =
        server_->Listen(*std::move(socket), std::move(origin), offline);
    EXPECT_TRUE(listener.ok()) << listener.status();
    if (id != nullptr) *id = *listener;
    return port;
  }

  // Waits until `condition` holds; false after ten seconds.
  template <typename Condition>
  static bool Eventually(Condition condition) {
    const absl::Time give_up = absl::Now() + absl::Seconds(10);
    while (!condition()) {
      if (absl::Now() > give_up) return false;
      absl::SleepFor(absl::Milliseconds(1));
    }
    return true;
  }

  std::string folder_;
  base::SystemClock clock_;
  runtime::WorkerPool pool_{4};
  FakeHttp http_;
  FakeRpc rpc_;
  FakeRuns runs_;
  std::unique_ptr<front::CertificateAuthority> authority_;
  std::unique_ptr<front::Server> server_;
  uint16_t port_ = 0;
};

}  // namespace brume::testing
