#pragma once

#include "client/credentials.h"
#include "client/http_client.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <boost/json/value.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace brume::client {

// Google's REST APIs: signed requests, tried again when that is worth it, pages
// and long-running operations. Knows the public API and nothing of who serves
// it. Not thread-safe.
class GoogleApi {
 public:
  struct Options {
    HttpClient* http = nullptr;
    Credentials* credentials = nullptr;
    // Waits between tries; tests replace it.
    std::function<void(absl::Duration)> sleep;
    // Counted in requests.
    int attempts = 5;
  };
  explicit GoogleApi(Options options) : options_(std::move(options)) {}

  // One call; JSON both ways. An error has the service's code and message.
  // Requests that change something without a precondition are tried again only
  // when the service cannot have seen them, or says so (429, 503).
  absl::StatusOr<boost::json::value> Call(
      std::string_view method, const std::string& url,
      const std::optional<boost::json::value>& body = std::nullopt);

  // GETs every page of a list; `visit` takes each reply whole and returns
  // whether to go on. `url` has a query already, or none.
  absl::Status Pages(
      const std::string& url,
      const std::function<absl::StatusOr<bool>(const boost::json::value&)>&
          visit);

  // Asks for an operation until it is done: its response, or its error.
  // `base_url` is "https://aiplatform.googleapis.com/v1/".
  absl::StatusOr<boost::json::value> WaitOperation(const std::string& base_url,
                                                   boost::json::value operation,
                                                   absl::Duration limit);

  // A request of any kind with a token; the reply as it comes, 401 tried once
  // more with a new token.
  absl::StatusOr<HttpReply> Send(HttpRequest request,
                                 const BodyWriter& writer = nullptr);

  // The delay before attempt `attempt` (from 1), doubling from half a second to
  // 32 s.
  static absl::Duration DelayBefore(int attempt);
  void Sleep(absl::Duration time) const { options_.sleep(time); }
  int attempts() const { return options_.attempts; }

 private:
  const Options options_;
};

// The status that an error reply stands for: by its JSON's "status", else by
// the HTTP code (google/rpc/code.proto says which is which).
absl::Status StatusOf(const HttpReply& reply);
// Whether the same request may succeed when it is sent once more.
bool IsTransient(const HttpReply& reply);

}  // namespace brume::client
