#pragma once

#include "base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// What passes between the network edge (front/) and the API: plain values,
// no sockets, no Beast, no grpc++. front/ reads and writes bytes
// asynchronously and calls everything below on the bounded worker pool, one
// call at a time per request. Nothing here waits for a client.
namespace brume::api {

// Header fields in the order received; names compare without regard to case.
class Headers {
 public:
  void Add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  // Replaces every field of that name.
  void Set(std::string_view name, std::string value);
  // The first field's value; nullopt when there is none.
  std::optional<std::string_view> Get(std::string_view name) const;
  std::vector<std::string_view> GetAll(std::string_view name) const;
  bool Has(std::string_view name) const { return Get(name).has_value(); }
  const std::vector<std::pair<std::string, std::string>>& fields() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Where a request came from. Set by the front; never read from the request.
struct Origin {
  enum class Via {
    kDirect,    // origin-form on the main port: emulator style
    kProxy,     // CONNECT, or absolute-form through the proxy address
    kSealed,    // a listener inside a sealed namespace (443, 80)
    kMetadata,  // a metadata listener (169.254.169.254:80 or a run's own port)
  };
  Via via = Via::kDirect;
  // Name of the run (brume run) or of the job ("job/ID") it belongs to; empty
  // when the proxy credentials named none.
  std::string run;
  // E-mail of the account for which a metadata listener speaks; else empty.
  std::string account;
  // Project id for which a metadata listener speaks; else empty.
  std::string project;
  // "ip:port" of the client, for logs.
  std::string peer;
  bool tls = false;
};

struct RequestHead {
  std::string method;  // "GET"
  // Served name, lower case, without port: from SNI, CONNECT or absolute-form.
  // For kDirect requests to loopback or an --allow-host name it is empty: then
  // only Storage's path families (and our own) are routed.
  std::string host;
  // How the client reached us, for links in replies: "https://storage.google
  // apis.com" or "http://127.0.0.1:9443". No trailing slash.
  std::string base_url;
  // Origin-form, still percent-encoded: "/storage/v1/b?project=p".
  std::string target;
  Headers headers;
  Origin origin;
};

// An open file's range as a body; sent by sendfile on plain HTTP.
struct FileSlice {
  base::UniqueFd fd;
  uint64_t offset = 0;
  uint64_t length = 0;
};

// A body made while it is sent. Read runs on the worker pool and must not wait
// for anything but the disk.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next bytes; empty at the end. An error aborts the connection.
  virtual absl::StatusOr<std::string> Read() = 0;
};

struct Response {
  int status = 200;
  // The front adds Date, Content-Length or chunked framing, and Connection.
  Headers headers;
  std::variant<std::string, FileSlice, std::unique_ptr<BodySource>> body;
};

struct Wait;
// What a finished request gives: a reply, or a wait (long poll).
using Outcome = std::variant<Response, std::unique_ptr<Wait>>;

// A long poll: the front holds no thread while it waits. `subscribe` is called
// once; it must arrange for `wake` to be called once (from any thread, perhaps
// before it returns). After wake or `deadline`, whichever is first, the front
// calls `resume` on the pool. Destroying the Wait must cancel the subscription.
struct Wait {
  virtual ~Wait() = default;
  virtual void Subscribe(std::function<void()> wake) = 0;
  virtual Outcome Resume() = 0;
  absl::Time deadline = absl::InfiniteFuture();
};

// Receives a request's body. Destroyed without Finish when the client went
// away: then what was written is dropped, or kept where the protocol says so
// (resumable uploads).
class BodySink {
 public:
  virtual ~BodySink() = default;
  // The next bytes, decoded (no chunk framing; gzip request bodies inflated).
  // A reply here ends the request early: it is sent and the connection closed.
  virtual std::optional<Response> Write(std::string_view bytes) = 0;
  // The body is complete.
  virtual Outcome Finish() = 0;
};

using Begun = std::variant<Response, std::unique_ptr<BodySink>>;

// The HTTP side of the API. Implemented by api::HttpDispatcher, and by fakes in
// front's tests. Thread-safe.
class HttpService {
 public:
  virtual ~HttpService() = default;
  // Called when the head is complete and before "100 Continue" is sent; a
  // Response here refuses the body.
  virtual Begun Begin(RequestHead head) = 0;
};

struct RpcHead {
  std::string method;  // "google.iam.admin.v1.IAM.CreateServiceAccount"
  std::string host;    // as in RequestHead
  Headers metadata;    // ASCII metadata
  absl::Time deadline = absl::InfiniteFuture();
  Origin origin;
};

struct RpcReply {
  absl::Status status;
  std::string message;         // serialized reply when ok
  std::string status_details;  // google.rpc.Status bytes when not ok, or empty
};

struct RpcWait;
using RpcOutcome = std::variant<RpcReply, std::unique_ptr<RpcWait>>;

// As Wait, for a unary call.
struct RpcWait {
  virtual ~RpcWait() = default;
  virtual void Subscribe(std::function<void()> wake) = 0;
  virtual RpcOutcome Resume() = 0;
  absl::Time deadline = absl::InfiniteFuture();
};

// The gRPC side of the API: unary calls. Implemented by api::RpcDispatcher.
// Thread-safe; called on the worker pool, never on a gRPC callback thread.
class RpcService {
 public:
  virtual ~RpcService() = default;
  virtual RpcOutcome Call(RpcHead head, std::string request) = 0;
};

// A command's run, as the proxy address names it.
struct Run {
  std::string name;
  bool offline = false;  // foreign hosts are refused
};

// Knows the runs that are registered. Thread-safe.
class RunDirectory {
 public:
  virtual ~RunDirectory() = default;
  // The run of `http://NAME:TOKEN@...`; UNAUTHENTICATED when it is unknown or
  // the token is wrong.
  virtual absl::StatusOr<Run> Authenticate(std::string_view name,
                                           std::string_view token) = 0;
};

}  // namespace brume::api
