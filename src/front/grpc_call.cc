#include "front/grpc_call.h"

#include "base/str_cat.h"
#include "front/served_hosts.h"

#include <absl/time/clock.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

namespace brume::front {
namespace {

std::string FromBuffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string out;
  if (!buffer.Dump(&slices).ok()) return out;
  for (const grpc::Slice& slice : slices) {
    out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return out;
}

// "/google.iam.admin.v1.IAM/CreateKey" -> "google.iam.admin.v1.IAM.CreateKey"
std::string MethodName(std::string path) {
  if (!path.empty() && path[0] == '/') path.erase(0, 1);
  std::replace(path.begin(), path.end(), '/', '.');
  return path;
}

absl::Time DeadlineOf(const grpc::GenericCallbackServerContext& context) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  return deadline == std::chrono::system_clock::time_point::max()
             ? absl::InfiniteFuture()
             : absl::FromChrono(deadline);
}

}  // namespace

// One wait of the call. Wakes may come before Subscribe has returned; the
// service is then called only after that, since it is called once at a time.
struct GrpcCall::Waiting {
  std::unique_ptr<api::RpcWait> wait;
  grpc::Alarm alarm;
  absl::Mutex mutex;
  bool subscribed ABSL_GUARDED_BY(mutex) = false;
  bool woken ABSL_GUARDED_BY(mutex) = false;
  bool resumed ABSL_GUARDED_BY(mutex) = false;

  // True for the one who is to resume.
  bool Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (!subscribed || !woken || resumed) return false;
    resumed = true;
    return true;
  }
};

GrpcCall* GrpcCall::Start(grpc::GenericCallbackServerContext* context,
                          GrpcContext& shared, const HttpPeer& peer) {
  const std::shared_ptr<GrpcCall> call(new GrpcCall(context, shared));
  call->self_ = call;
  if (call->MakeHead(peer)) call->StartRead(&call->request_);
  return call.get();
}

GrpcCall::GrpcCall(grpc::GenericCallbackServerContext* context,
                   GrpcContext& shared)
    : context_(context), shared_(shared) {}

GrpcCall::~GrpcCall() = default;

bool GrpcCall::MakeHead(const HttpPeer& peer) {
  head_.method = MethodName(context_->method());
  head_.origin = peer.origin;
  head_.deadline = DeadlineOf(*context_);
  for (const auto& [name, value] : context_->client_metadata()) {
    head_.metadata.Add(std::string(name.data(), name.size()),
                       std::string(value.data(), value.size()));
  }
  if (!peer.host.empty()) {
    head_.host = peer.host;
    return true;
  }
  // As for HTTP/1.1: :authority must be loopback, served or allowed.
  const std::string named = CanonicalHost(context_->host());
  if (IsServedHost(named)) {
    head_.host = named;
    return true;
  }
  const bool allowed =
      IsLoopbackHost(named) ||
      (peer.allowed_hosts != nullptr &&
       std::find(peer.allowed_hosts->begin(), peer.allowed_hosts->end(),
                 named) != peer.allowed_hosts->end());
  if (allowed) return true;
  Finish(grpc::Status(
      grpc::StatusCode::PERMISSION_DENIED,
      base::StrCat("host '", named,
                   "' is not served here; start Brume with --allow-host ",
                   named, " to be reached under that name")));
  return false;
}

void GrpcCall::OnReadDone(bool ok) {
  if (!ok) {
    Finish(grpc::Status(grpc::StatusCode::INTERNAL,
                        "the call carried no request message"));
    return;
  }
  shared_.pool->Submit([self = shared_from_this()] { self->Run(); });
}

void GrpcCall::OnCancel() {
  cancelled_ = true;
  std::shared_ptr<Waiting> waiting;
  {
    absl::MutexLock lock(&mutex_);
    waiting = waiting_;
  }
  if (waiting != nullptr) Wake(waiting);
}

void GrpcCall::OnDone() {
  // Perhaps the last reference.
  const std::shared_ptr<GrpcCall> self = std::move(self_);
}

void GrpcCall::WakeForDrain() {
  std::shared_ptr<Waiting> waiting;
  {
    absl::MutexLock lock(&mutex_);
    waiting = waiting_;
  }
  if (waiting != nullptr) Wake(waiting);
}

void GrpcCall::Run() {
  std::string request = FromBuffer(request_);
  request_.Clear();
  Settle(shared_.service->Call(std::move(head_), std::move(request)));
}

void GrpcCall::Settle(api::RpcOutcome outcome) {
  if (auto* wait = std::get_if<std::unique_ptr<api::RpcWait>>(&outcome)) {
    Await(std::move(*wait));
  } else {
    Reply(std::get<api::RpcReply>(std::move(outcome)));
  }
}

void GrpcCall::Await(std::unique_ptr<api::RpcWait> wait) {
  const auto waiting = std::make_shared<Waiting>();
  waiting->wait = std::move(wait);
  {
    absl::MutexLock lock(&mutex_);
    waiting_ = waiting;
  }
  const std::shared_ptr<GrpcCall> self = shared_from_this();
  bool draining = false;
  {
    absl::MutexLock lock(&shared_.mutex);
    shared_.waiting.insert(this);
    draining = shared_.draining;
  }
  const auto wake = [self, waiting] { self->Wake(waiting); };
  if (waiting->wait->deadline != absl::InfiniteFuture()) {
    // The alarm keeps its function as long as itself, and is in `waiting`.
    waiting->alarm.Set(absl::ToChronoTime(waiting->wait->deadline),
                       [self, weak = std::weak_ptr<Waiting>(waiting)](bool) {
                         if (const auto held = weak.lock()) self->Wake(held);
                       });
  }
  waiting->wait->Subscribe(wake);
  bool resume = false;
  {
    absl::MutexLock lock(&waiting->mutex);
    waiting->subscribed = true;
    // Whoever set these meanwhile found nobody to wake.
    if (draining || cancelled_) waiting->woken = true;
    resume = waiting->Take();
  }
  if (resume) Resume(waiting);
}

void GrpcCall::Wake(const std::shared_ptr<Waiting>& waiting) {
  {
    absl::MutexLock lock(&waiting->mutex);
    waiting->woken = true;
    if (!waiting->Take()) return;
  }
  shared_.pool->Submit(
      [self = shared_from_this(), waiting] { self->Resume(waiting); });
}

void GrpcCall::Resume(std::shared_ptr<Waiting> waiting) {
  bool draining = false;
  {
    absl::MutexLock lock(&shared_.mutex);
    shared_.waiting.erase(this);
    draining = shared_.draining;
  }
  {
    absl::MutexLock lock(&mutex_);
    waiting_ = nullptr;
  }
  waiting->alarm.Cancel();
  std::unique_ptr<api::RpcWait> wait = std::move(waiting->wait);
  if (cancelled_) {
    wait = nullptr;
    Finish(grpc::Status::CANCELLED);
    return;
  }
  api::RpcOutcome next = wait->Resume();
  wait = nullptr;
  if (draining && std::holds_alternative<std::unique_ptr<api::RpcWait>>(next)) {
    Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "Brume is ending"));
    return;
  }
  Settle(std::move(next));
}

void GrpcCall::Reply(api::RpcReply reply) {
  if (!reply.status.ok()) {
    const absl::string_view message = reply.status.message();
    Finish(grpc::Status(static_cast<grpc::StatusCode>(reply.status.code()),
                        std::string(message.data(), message.size()),
                        reply.status_details));
    return;
  }
  const grpc::Slice slice(reply.message);
  reply_ = grpc::ByteBuffer(&slice, 1);
  StartWriteAndFinish(&reply_, grpc::WriteOptions(), grpc::Status::OK);
}

}  // namespace brume::front
