#pragma once

#include "api/call.h"

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// A row of the method table. Every control-plane method of every product is
// one row; REST and gRPC both end in it. To add a method, add a row in
// api/bindings/<product>.cc.
namespace brume::api {

// What IAM checks before the handler runs. There is no default: a row states
// its permissions or why it needs none.
class Access {
 public:
  // The caller must hold `permission` on the resource that the request field
  // `resource_field` ("name", "parent", "project_id", "custom_job.name") names;
  // the project is taken from it ("projects/P/..." or a bare id or number). A
  // repeated field names several resources.
  static Access Permission(std::string_view permission,
                           std::string_view resource_field);
  // As above, every one of several.
  static Access Permissions(std::vector<std::string> permissions,
                            std::string_view resource_field);
  // No permission is checked; `reason` is printed in docs/coverage.md.
  static Access None(std::string_view reason);
  // No permission is checked, but the request concerns the project which
  // `resource_field` names.
  static Access NoneOn(std::string_view resource_field,
                       std::string_view reason);

  const std::vector<std::string>& permissions() const { return permissions_; }
  const std::string& resource_field() const { return resource_field_; }
  const std::string& reason() const { return reason_; }

 private:
  Access() = default;
  std::vector<std::string> permissions_;
  std::string resource_field_;
  std::string reason_;
};

using AnyMessage = std::unique_ptr<google::protobuf::Message>;

class Pending;
// What a handler gives: the reply, or a wait for it.
using AnyReply = std::variant<AnyMessage, std::unique_ptr<Pending>>;

// A reply that is not there yet (operations.wait). The front holds no thread
// for it. As api::Wait: Subscribe once, then Resume on the pool after `wake` or
// at the deadline; destruction cancels.
class Pending {
 public:
  virtual ~Pending() = default;
  virtual void Subscribe(std::function<void()> wake) = 0;
  virtual absl::StatusOr<AnyReply> Resume() = 0;
  absl::Time deadline = absl::InfiniteFuture();
};

using AnyHandler = std::function<absl::StatusOr<AnyReply>(
    const Call&, const google::protobuf::Message&)>;

struct Method {
  std::string name;  // "google.iam.admin.v1.IAM.CreateServiceAccount"
  Access access;
  const google::protobuf::Message& request_prototype;
  const google::protobuf::Message& response_prototype;
  AnyHandler handler;
  // The largest JSON or protobuf request that is read.
  size_t body_limit = size_t{4} << 20;
};

// A typed row: `handler(call, request)` gives StatusOr<Response>.
template <typename Request, typename Response, typename Handler>
Method Row(std::string name, Access access, Handler handler) {
  return Method{std::move(name), std::move(access), Request::default_instance(),
                Response::default_instance(),
                [handler = std::move(handler)](
                    const Call& call, const google::protobuf::Message& request)
                    -> absl::StatusOr<AnyReply> {
                  absl::StatusOr<Response> response =
                      handler(call, static_cast<const Request&>(request));
                  if (!response.ok()) return std::move(response).status();
                  return AnyReply(AnyMessage(
                      std::make_unique<Response>(*std::move(response))));
                }};
}

// A row whose handler may wait: it gives StatusOr<AnyReply>.
template <typename Request, typename Response, typename Handler>
Method WaitingRow(std::string name, Access access, Handler handler) {
  return Method{std::move(name), std::move(access), Request::default_instance(),
                Response::default_instance(),
                [handler = std::move(handler)](
                    const Call& call, const google::protobuf::Message& request)
                    -> absl::StatusOr<AnyReply> {
                  return handler(call, static_cast<const Request&>(request));
                }};
}

// The rows, by full method name. Filled once at start by bindings, then only
// read. A second row of a name, or a name that no known service has, aborts:
// both are mistakes in code.
class MethodTable {
 public:
  void Add(Method method);
  // nullptr when no row has that name.
  const Method* Find(std::string_view name) const;
  std::vector<const Method*> rows() const;

 private:
  std::map<std::string, std::unique_ptr<Method>, std::less<>> rows_;
};

// The resources that `field` of the request names: one, or several when the
// field is repeated; empty when it is unset. Aborts when there is no such
// field: a mistake in a row.
std::vector<std::string> ResourcesOf(const google::protobuf::Message& request,
                                     std::string_view field);

// The project a resource name speaks of: "projects/P/...", a bare "P", or the
// domain of "projects/-/serviceAccounts/A@P.iam.gserviceaccount.com"; empty
// when it names none.
std::string ProjectOf(std::string_view resource);

}  // namespace brume::api
