#pragma once

#include "client/connection.h"
#include "client/url.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume::client {

// Gives up to `size` bytes of a request's body; 0 at the end.
using BodyReader =
    std::function<absl::StatusOr<size_t>(char* out, size_t size)>;
// Takes the next bytes of a reply's body.
using BodyWriter = std::function<absl::Status(std::string_view bytes)>;

struct HttpRequest {
  std::string method = "GET";
  Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // In place of `body`; it has `length` bytes.
  BodyReader reader;
  uint64_t length = 0;
};

struct HttpReply {
  int status = 0;
  // Names in lower case; the last of a name wins.
  std::map<std::string, std::string, std::less<>> headers;
  std::string body;  // what was not given to a BodyWriter

  std::string_view Header(std::string_view name) const;
};

// HTTP/1.1 over blocking connections, which are kept for the next request.
// Follows no redirects and tries nothing twice, but for a request on a kept
// connection that the server had closed. Not thread-safe.
class HttpClient {
 public:
  explicit HttpClient(const Transport* transport) : transport_(transport) {}

  // A status of 400 and above is no error here. A successful reply's body goes
  // to `writer` if there is one; else it must be shorter than 64 MiB. Errors
  // are Connection's, and those of reader and writer.
  absl::StatusOr<HttpReply> Send(const HttpRequest& request,
                                 const BodyWriter& writer = nullptr);

 private:
  struct Exchange;
  absl::StatusOr<HttpReply> SendOn(Connection& connection,
                                   const HttpRequest& request,
                                   const BodyWriter& writer, bool* answered,
                                   bool* keep);

  const Transport* const transport_;
  std::map<std::string, std::unique_ptr<Connection>, std::less<>> kept_;
};

}  // namespace brume::client
