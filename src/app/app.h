#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace brume::app {

// The composition root: one server over one data folder, from the stores up to
// the port. Everything is made in App::Create, in one order, and taken down in
// the reverse one.
class App {
 public:
  struct Options {
    std::string data;
    uint16_t port = 0;  // 0 picks one
    bool offline = false;
    std::vector<std::string> allowed_hosts;
    std::string upstream_proxy;  // "host:port" or empty
    // Called, from any thread, when the owner asks the server to end.
    std::function<void()> stop;
  };

  // Serves when it returns. Errors are one line for the user: the folder cannot
  // be used, the port is taken.
  static absl::StatusOr<std::unique_ptr<App>> Create(Options options);
  ~App();

  uint16_t port() const;

  // No new connections; running requests get until `deadline`. Then destroy it.
  void Drain(absl::Time deadline);

 private:
  class Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brume::app
