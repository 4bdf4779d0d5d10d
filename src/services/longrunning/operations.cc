#include "services/longrunning/operations.h"

#include "base/status_macros.h"
#include "base/str_cat.h"
#include "services/errors/errors.h"
#include "store/kv/key.h"

#include <algorithm>
#include <utility>

namespace brume::services::longrunning {
namespace {

using google::longrunning::Operation;

constexpr std::string_view kRows = "operation";

std::string RowKey(std::string_view name) {
  return store::Key(kRows).Add(name).str();
}

absl::Status NoSuchOperation(std::string_view name) {
  return absl::NotFoundError(
      base::ToAbsl(base::StrCat("Operation not found: ", name)));
}

absl::StatusOr<Operation> Parsed(std::string_view bytes) {
  Operation operation;
  if (!operation.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("an operation's row is damaged");
  }
  return operation;
}

}  // namespace

Operations::Operations(store::KvStore& kv, const base::Clock& clock)
    : kv_(kv), clock_(clock) {}

absl::StatusOr<Operation> Operations::PutStarted(
    store::KvTransaction& txn, std::string_view name,
    const google::protobuf::Message& metadata) {
  Operation operation;
  operation.set_name(std::string(name));
  operation.mutable_metadata()->PackFrom(metadata);
  RETURN_IF_ERROR(txn.Put(RowKey(name), operation.SerializeAsString()));
  return operation;
}

absl::StatusOr<Operation> Operations::PutDone(
    store::KvTransaction& txn, std::string_view name,
    const google::protobuf::Message& metadata,
    const google::protobuf::Message& response) {
  Operation operation;
  operation.set_name(std::string(name));
  operation.mutable_metadata()->PackFrom(metadata);
  operation.set_done(true);
  operation.mutable_response()->PackFrom(response);
  RETURN_IF_ERROR(txn.Put(RowKey(name), operation.SerializeAsString()));
  return operation;
}

absl::Status Operations::PutFinished(
    store::KvTransaction& txn, std::string_view name,
    const absl::StatusOr<const google::protobuf::Message*>& result,
    const google::protobuf::Message* metadata) {
  ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(RowKey(name)));
  if (!row) return NoSuchOperation(name);
  ASSIGN_OR_RETURN(Operation operation, Parsed(*row));
  operation.set_done(true);
  if (metadata != nullptr) operation.mutable_metadata()->PackFrom(*metadata);
  if (result.ok()) {
    operation.mutable_response()->PackFrom(**result);
  } else {
    auto& error = *operation.mutable_error();
    error.set_code(static_cast<int>(result.status().code()));
    error.set_message(std::string(result.status().message()));
    for (const auto& detail : services::DetailsOf(result.status())) {
      *error.add_details() = detail;
    }
  }
  return txn.Put(RowKey(name), operation.SerializeAsString());
}

absl::StatusOr<Operation> Operations::Get(std::string_view name) {
  ASSIGN_OR_RETURN(const auto row, kv_.Get(RowKey(name)));
  if (!row) return NoSuchOperation(name);
  return Parsed(*row);
}

absl::StatusOr<std::vector<Operation>> Operations::List(
    std::string_view parent, std::string_view after, size_t count,
    std::optional<bool> done) {
  const std::string prefix = parent.empty()
                                 ? std::string("operations/")
                                 : base::StrCat(parent, "/operations/");
  std::vector<Operation> found;
  absl::Status status;
  const std::unique_ptr<store::KvReader> reader = kv_.Snapshot();
  // Rows of one parent are neighbours: their names share the prefix.
  store::KeyRange range =
      store::KeyRange::Prefix(store::Key(kRows).WithOpenText(prefix));
  if (!after.empty()) range.begin = std::max(range.begin, RowKey(after));
  RETURN_IF_ERROR(
      reader->Scan(range, [&](std::string_view, std::string_view value) {
        absl::StatusOr<Operation> operation = Parsed(value);
        if (!operation.ok()) {
          status = operation.status();
          return false;
        }
        const std::string& name = operation->name();
        if (name == after) return true;
        if (!done || operation->done() == *done) {
          found.push_back(*std::move(operation));
        }
        return found.size() < count;
      }));
  RETURN_IF_ERROR(status);
  return found;
}

absl::Status Operations::Delete(std::string_view name) {
  RETURN_IF_ERROR(kv_.Transact([&](store::KvTransaction& txn) -> absl::Status {
    ASSIGN_OR_RETURN(const auto row, txn.GetForUpdate(RowKey(name)));
    if (!row) return NoSuchOperation(name);
    return txn.Delete(RowKey(name));
  }));
  Wake(name);
  return absl::OkStatus();
}

void Operations::Wake(std::string_view name) {
  // Called under the lock: Unsubscribe then knows that none is running. A wake
  // only posts to an executor.
  absl::MutexLock lock(&mutex_);
  for (auto& [id, waiter] : waiters_) {
    if (waiter.name == name && waiter.wake) {
      std::exchange(waiter.wake, nullptr)();
    }
  }
}

uint64_t Operations::Subscribe(std::string_view name,
                               std::function<void()> wake) {
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mutex_);
    id = next_id_++;
    waiters_.emplace(id, Waiter{std::string(name), std::move(wake)});
  }
  // It may have ended between the caller's look and now.
  const absl::StatusOr<Operation> operation = Get(name);
  if (!operation.ok() || operation->done()) Wake(name);
  return id;
}

void Operations::Unsubscribe(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  waiters_.erase(id);
}

}  // namespace brume::services::longrunning
