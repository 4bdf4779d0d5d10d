#pragma once

#include "api/wire.h"
#include "front/http_head.h"
#include "runtime/worker_pool.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace brume::front {

class GrpcCall;

// What calls use of their bridge, which outlives them.
struct GrpcContext {
  api::RpcService* service = nullptr;
  runtime::WorkerPool* pool = nullptr;

  // Calls that wait (long polls), to be woken when Brume ends.
  absl::Mutex mutex;
  std::set<GrpcCall*> waiting ABSL_GUARDED_BY(mutex);
  bool draining ABSL_GUARDED_BY(mutex) = false;
};

// One unary call. gRPC's threads only move messages: RpcService and all that
// it leaves behind run on the worker pool. Keeps itself alive until gRPC is
// done with it and no task, alarm or subscription refers to it.
class GrpcCall final : public grpc::ServerGenericBidiReactor,
                       public std::enable_shared_from_this<GrpcCall> {
 public:
  // For CallbackGenericService::CreateReactor.
  static GrpcCall* Start(grpc::GenericCallbackServerContext* context,
                         GrpcContext& shared, const HttpPeer& peer);
  ~GrpcCall() override;

  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Ends the present wait early: what there is then is the answer.
  void WakeForDrain();

 private:
  struct Waiting;
  GrpcCall(grpc::GenericCallbackServerContext* context, GrpcContext& shared);
  // False when the call was refused.
  bool MakeHead(const HttpPeer& peer);
  // On the pool.
  void Run();
  void Settle(api::RpcOutcome outcome);
  void Await(std::unique_ptr<api::RpcWait> wait);
  void Resume(std::shared_ptr<Waiting> waiting);
  // From anywhere; only the first one for a wait counts.
  void Wake(const std::shared_ptr<Waiting>& waiting);
  void Reply(api::RpcReply reply);

  grpc::GenericCallbackServerContext* context_;
  GrpcContext& shared_;
  std::shared_ptr<GrpcCall> self_;  // until OnDone
  api::RpcHead head_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
  std::atomic<bool> cancelled_{false};
  absl::Mutex mutex_;
  std::shared_ptr<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::front
