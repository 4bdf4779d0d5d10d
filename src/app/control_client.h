#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>
#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace brume::app {

// The other end of ControlServer, for commands. Blocking; not thread-safe. A
// command's run lasts as long as the connection that registered it.
class ControlClient {
 public:
  // UNAVAILABLE when no server uses that data folder, PERMISSION_DENIED when it
  // is another user's.
  static absl::StatusOr<std::unique_ptr<ControlClient>> Connect(
      const std::string& folder);

  // The reply's fields, or its error.
  absl::StatusOr<boost::json::object> Call(std::string_view op,
                                           boost::json::object fields = {},
                                           absl::Span<const int> fds = {});

  // Returns when the server has closed the connection.
  void WaitForClose();

 private:
  explicit ControlClient(base::UniqueFd socket) : socket_(std::move(socket)) {}

  const base::UniqueFd socket_;
  std::string received_;
};

}  // namespace brume::app
