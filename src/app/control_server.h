#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace brume::app {

// The owner's way in: a Unix socket in the data folder (mode 0600), answered
// only to the server's own user and to root (SO_PEERCRED, unix(7)). A request
// is one line of JSON, {"op": NAME, ...}, with which descriptors may travel; so
// is the reply, {"ok": true, ...} or {"ok": false, "code": .., "message": ..}.
// What is handed out here (the owner's credentials, tokens of runs) is handed
// out nowhere else.
//
// One thread serves all connections; handlers may block for as long as the
// store does. The destructor closes them all.
class ControlServer {
 public:
  using Reply = absl::StatusOr<boost::json::object>;
  struct Request {
    std::string op;
    boost::json::object fields;
    std::vector<base::UniqueFd> fds;
    // Tells connections apart; never used again.
    uint64_t connection = 0;
  };
  struct Options {
    std::string folder;  // the socket is FOLDER/control.sock
    std::function<Reply(Request)> handle;
    // A connection ended.
    std::function<void(uint64_t connection)> closed;
  };

  static absl::StatusOr<std::unique_ptr<ControlServer>> Create(Options options);
  ~ControlServer();

 private:
  struct Connection {
    base::UniqueFd socket;
    std::string received;
    std::vector<base::UniqueFd> fds;
  };

  ControlServer(Options options, base::UniqueFd listener, base::UniqueFd stop);
  void Serve();
  void Accept();
  // False when the connection is over.
  bool Receive(uint64_t id, Connection& connection);
  std::string Answer(uint64_t id, std::string_view line,
                     std::vector<base::UniqueFd> fds);

  const Options options_;
  const base::UniqueFd listener_;
  const base::UniqueFd stop_;  // eventfd
  std::map<uint64_t, Connection> connections_;
  uint64_t next_id_ = 1;
  std::thread thread_;
};

}  // namespace brume::app
