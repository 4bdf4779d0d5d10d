#include "api/rpc_dispatcher.h"

#include "api/http_dispatcher.h"
#include "api/http_error.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"

#include <google/rpc/status.pb.h>

#include <utility>

namespace brume::api {
namespace {

RpcReply ErrorReply(const absl::Status& status) {
  RpcReply reply;
  reply.status = absl::Status(status.code(), status.message());
  const auto details = services::DetailsOf(status);
  if (!details.empty()) {
    google::rpc::Status full;
    full.set_code(static_cast<int>(status.code()));
    full.set_message(std::string(status.message()));
    for (const auto& detail : details) *full.add_details() = detail;
    reply.status_details = full.SerializeAsString();
  }
  return reply;
}

RpcOutcome ToOutcome(absl::StatusOr<AnyReply> reply);

class MethodWait final : public RpcWait {
 public:
  explicit MethodWait(std::unique_ptr<Pending> pending)
      : pending_(std::move(pending)) {
    deadline = pending_->deadline;
  }
  void Subscribe(std::function<void()> wake) override {
    pending_->Subscribe(std::move(wake));
  }
  RpcOutcome Resume() override { return ToOutcome(pending_->Resume()); }

 private:
  std::unique_ptr<Pending> pending_;
};

RpcOutcome ToOutcome(absl::StatusOr<AnyReply> reply) {
  if (!reply.ok()) return ErrorReply(reply.status());
  if (auto* pending = std::get_if<std::unique_ptr<Pending>>(&*reply)) {
    return std::make_unique<MethodWait>(std::move(*pending));
  }
  RpcReply out;
  out.message = std::get<AnyMessage>(*reply)->SerializeAsString();
  return out;
}

// The v1beta1 packages whose messages agree with v1's are served by its rows.
std::string RowName(std::string name) {
  constexpr std::string_view kBeta = "google.cloud.aiplatform.v1beta1.";
  if (name.compare(0, kBeta.size(), kBeta) == 0) {
    return base::StrCat("google.cloud.aiplatform.v1.",
                        std::string_view(name).substr(kBeta.size()));
  }
  return name;
}

}  // namespace

RpcOutcome RpcDispatcher::Call(RpcHead head, std::string request) {
  const std::string name = RowName(head.method);
  const Method* method = table_.Find(name);
  if (method == nullptr) {
    if (IsKnownMethod(name)) {
      const absl::Status told = MethodNotServed(name);
      absl::Status status(absl::StatusCode::kUnimplemented, told.message());
      told.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
        status.SetPayload(url, value);
      });
      return ErrorReply(status);
    }
    return ErrorReply(absl::UnimplementedError(
        base::ToAbsl(base::StrCat("Method not found: ", head.method))));
  }
  const auto run = [&]() -> absl::StatusOr<AnyReply> {
    if (request.size() > method->body_limit) {
      return absl::InvalidArgumentError(base::ToAbsl(base::StrCat(
          "Request payload size exceeds the limit: ", method->body_limit,
          " bytes.")));
    }
    AnyMessage message(method->request_prototype.New());
    if (!message->ParseFromString(request)) {
      return absl::InvalidArgumentError(
          base::ToAbsl(base::StrCat("Request proto is invalid: it is no ",
                                    message->GetDescriptor()->full_name())));
    }
    ASSIGN_OR_RETURN(
        const api::Call call,
        AdmitMethod(admission_, *method, *message, head.metadata, head.host,
                    base::StrCat("https://", head.host), head.origin));
    return method->handler(call, *message);
  };
  return ToOutcome(run());
}

}  // namespace brume::api
