#include "api/bindings/operations.h"

#include "base/status_macros.h"
#include "base/str_cat.h"

#include <google/protobuf/empty.pb.h>

#include <optional>
#include <utility>

namespace brume::api {
namespace {

namespace lro = google::longrunning;
using services::longrunning::Operations;

// Server-side bound of operations.wait: clients ask again.
constexpr absl::Duration kLongestWait = absl::Seconds(60);

// WaitOperation of an operation that is not done.
class OperationPending final : public Pending {
 public:
  OperationPending(Operations& operations, std::string name)
      : operations_(operations), name_(std::move(name)) {}
  ~OperationPending() override {
    if (subscription_) operations_.Unsubscribe(*subscription_);
  }

  void Subscribe(std::function<void()> wake) override {
    subscription_ = operations_.Subscribe(name_, std::move(wake));
  }
  // At the deadline the operation as it is, done or not (AIP-151).
  absl::StatusOr<AnyReply> Resume() override {
    ASSIGN_OR_RETURN(lro::Operation operation, operations_.Get(name_));
    return AnyReply(
        AnyMessage(std::make_unique<lro::Operation>(std::move(operation))));
  }

 private:
  Operations& operations_;
  const std::string name_;
  std::optional<uint64_t> subscription_;
};

// "projects/P/..." as the row's resource; operations of no project are known by
// their unguessable names.
Access OnOperation() {
  return Access::None(
      "an operation is known to whoever began it, by its random name");
}

}  // namespace

void AddOperationsRows(MethodTable& table, Operations& operations,
                       const base::Clock& clock, OperationsHooks hooks) {
  table.Add(Row<lro::GetOperationRequest, lro::Operation>(
      "google.longrunning.Operations.GetOperation", OnOperation(),
      [&operations](const Call&, const lro::GetOperationRequest& request) {
        return operations.Get(request.name());
      }));

  table.Add(Row<lro::ListOperationsRequest, lro::ListOperationsResponse>(
      "google.longrunning.Operations.ListOperations", OnOperation(),
      [&operations](const Call&, const lro::ListOperationsRequest& request)
          -> absl::StatusOr<lro::ListOperationsResponse> {
        std::optional<bool> done;
        if (request.filter() == "done=true") done = true;
        if (request.filter() == "done=false") done = false;
        if (!request.filter().empty() && !done) {
          return absl::InvalidArgumentError(base::ToAbsl(
              base::StrCat("Invalid filter '", request.filter(),
                           "'; 'done=true' and 'done=false' are supported.")));
        }
        if (request.page_size() < 0) {
          return absl::InvalidArgumentError("page_size must not be negative.");
        }
        const size_t wanted = request.page_size() == 0
                                  ? 100
                                  : std::min(request.page_size(), 1000);
        // A token is the last name: it says nothing that a list does not.
        ASSIGN_OR_RETURN(
            std::vector<lro::Operation> found,
            operations.List(
                request.name() == "operations" ? "" : request.name(),
                request.page_token(), wanted + 1, done));
        lro::ListOperationsResponse response;
        if (found.size() > wanted) {
          found.pop_back();
          response.set_next_page_token(found.back().name());
        }
        for (lro::Operation& operation : found) {
          *response.add_operations() = std::move(operation);
        }
        return response;
      }));

  table.Add(WaitingRow<lro::WaitOperationRequest, lro::Operation>(
      "google.longrunning.Operations.WaitOperation", OnOperation(),
      [&operations, &clock](const Call&,
                            const lro::WaitOperationRequest& request)
          -> absl::StatusOr<AnyReply> {
        ASSIGN_OR_RETURN(lro::Operation operation,
                         operations.Get(request.name()));
        if (operation.done()) {
          return AnyReply(AnyMessage(
              std::make_unique<lro::Operation>(std::move(operation))));
        }
        auto pending =
            std::make_unique<OperationPending>(operations, request.name());
        absl::Duration wait = kLongestWait;
        if (request.has_timeout()) {
          wait =
              std::min(wait, absl::Seconds(request.timeout().seconds()) +
                                 absl::Nanoseconds(request.timeout().nanos()));
        }
        pending->deadline = clock.Now() + wait;
        return AnyReply(std::move(pending));
      }));

  table.Add(Row<lro::CancelOperationRequest, google::protobuf::Empty>(
      "google.longrunning.Operations.CancelOperation", OnOperation(),
      [&operations, hooks](const Call&,
                           const lro::CancelOperationRequest& request)
          -> absl::StatusOr<google::protobuf::Empty> {
        ASSIGN_OR_RETURN(const lro::Operation operation,
                         operations.Get(request.name()));
        if (!operation.done() && hooks.cancel) {
          RETURN_IF_ERROR(hooks.cancel(request.name()));
        }
        return google::protobuf::Empty();
      }));

  table.Add(Row<lro::DeleteOperationRequest, google::protobuf::Empty>(
      "google.longrunning.Operations.DeleteOperation", OnOperation(),
      [&operations](const Call&, const lro::DeleteOperationRequest& request)
          -> absl::StatusOr<google::protobuf::Empty> {
        RETURN_IF_ERROR(operations.Delete(request.name()));
        return google::protobuf::Empty();
      }));
}

}  // namespace brume::api
