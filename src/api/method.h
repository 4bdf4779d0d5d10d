#pragma once

#include "api/call.h"

#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
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
  // the project is taken from it ("projects/P/..." or a bare id or number).
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
using AnyHandler = std::function<absl::StatusOr<AnyMessage>(
    const Call&, const google::protobuf::Message&)>;

struct Method {
  std::string name;  // "google.iam.admin.v1.IAM.CreateServiceAccount"
  Access access;
  const google::protobuf::Message& request_prototype;
  const google::protobuf::Message& response_prototype;
  AnyHandler handler;
};

// A typed row: `handler(call, request)` gives StatusOr<Response>.
template <typename Request, typename Response, typename Handler>
Method Row(std::string name, Access access, Handler handler) {
  return Method{
      std::move(name), std::move(access), Request::default_instance(),
      Response::default_instance(),
      [handler = std::move(handler)](const Call& call,
                                     const google::protobuf::Message& request)
          -> absl::StatusOr<AnyMessage> {
        absl::StatusOr<Response> response =
            handler(call, static_cast<const Request&>(request));
        if (!response.ok()) return std::move(response).status();
        return AnyMessage(std::make_unique<Response>(*std::move(response)));
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
  std::vector<std::unique_ptr<Method>> rows_;
};

}  // namespace brume::api
