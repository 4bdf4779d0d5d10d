#include "app/api_stack.h"

#include "api/admission.h"
#include "api/http_dispatcher.h"
#include "api/method.h"
#include "api/rpc_dispatcher.h"
#include "app/storage_stack.h"
#include "base/status_macros.h"

#include <utility>

namespace brume::app {

// Members are in the order in which they are made.
class ApiStack::Impl {
 public:
  Impl(Options options, std::unique_ptr<StorageStack> storage)
      : options_(options),
        storage_(std::move(storage)),
        admission_(AdmissionOptions()),
        http_({.table = &table_,
               .admission = &admission_,
               .surfaces = {storage_->Surface(&admission_)}}),
        rpc_(table_, admission_) {}

  api::HttpService& http() { return http_; }
  api::RpcService& rpc() { return rpc_; }

 private:
  api::Admission::Options AdmissionOptions() {
    api::Admission::Options out;
    out.authenticate = [](std::string_view, std::string_view) {
      return absl::UnauthenticatedError("no account is known yet");
    };
    out.find_project = [](std::string_view) {
      return absl::NotFoundError("there are no projects yet");
    };
    out.api_enabled = [](const api::ProjectRef&, std::string_view) {
      return true;
    };
    out.record =
        [usage = options_.usage](const api::Admission::Decision& decision) {
          usage->Add({.run = decision.run,
                      .principal = decision.principal,
                      .permission = decision.permission,
                      .resource = decision.resource,
                      .method = decision.method,
                      .verdict = decision.verdict},
                     decision.time);
        };
    out.clock = options_.clock;
    return out;
  }

  const Options options_;
  const std::unique_ptr<StorageStack> storage_;
  api::MethodTable table_;
  api::Admission admission_;
  api::HttpDispatcher http_;
  api::RpcDispatcher rpc_;
};

ApiStack::ApiStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiStack::~ApiStack() = default;

absl::StatusOr<std::unique_ptr<ApiStack>> ApiStack::Create(Options options) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<StorageStack> storage,
      StorageStack::Create(
          {.kv = options.kv, .blobs = options.blobs, .clock = options.clock}));
  return std::unique_ptr<ApiStack>(
      new ApiStack(std::make_unique<Impl>(options, std::move(storage))));
}

api::HttpService& ApiStack::http() { return impl_->http(); }
api::RpcService& ApiStack::rpc() { return impl_->rpc(); }

}  // namespace brume::app
