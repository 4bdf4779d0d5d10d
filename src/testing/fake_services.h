#pragma once

#include "api/wire.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

// Services that show what the network edge gave them, for its tests and for the
// soak. Thread-safe.
namespace brume::testing {

// Wakes the waits of the services below.
class FakeEvents {
 public:
  // Wakes every wait there is.
  void Fire();
  size_t waiting() const;
  // Waits there have been, the present ones included.
  int ever() const;

  // A subscription; ends with the object.
  class Subscription {
   public:
    Subscription(FakeEvents& events, std::function<void()> wake);
    ~Subscription();

   private:
    FakeEvents& events_;
    int key_ = 0;
  };

 private:
  mutable absl::Mutex mutex_;
  int next_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int, std::function<void()>> wakes_ ABSL_GUARDED_BY(mutex_);
};

// By path:
//   /echo       what was asked, a line each ("host: ..."), then the body
//   /text/N     N bytes of text
//   /file/N     N bytes of the file given to SetFile, from its beginning
//   /source/N   N pieces "piece\n", made while they are sent
//   /broken     a source that fails after a piece
//   /refuse     403 without reading a body
//   /early      413 at the body's first bytes
//   /wait       answers when woken ("woken"), or after a minute ("late")
//   /wait-again as /wait, and waits once more
//   /status/N   status N without a body
class FakeHttp final : public api::HttpService {
 public:
  api::Begun Begin(api::RequestHead head) override;

  void SetFile(std::string path);
  FakeEvents& events() { return events_; }
  // Requests begun, and bodies given up before their end.
  int begun() const;
  int abandoned() const;
  // Bytes of all bodies so far.
  uint64_t received() const;

 private:
  class Sink;
  api::Outcome Finish(const api::RequestHead& head, const std::string& body);

  FakeEvents events_;
  mutable absl::Mutex mutex_;
  std::string file_ ABSL_GUARDED_BY(mutex_);
  int begun_ ABSL_GUARDED_BY(mutex_) = 0;
  int abandoned_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t received_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Methods: "test.Echo.Say" answers "host=H run=R via=N tls=T said=REQUEST";
// "test.Echo.Fail" NOT_FOUND with details; "test.Echo.Wait" as /wait;
// all others UNIMPLEMENTED.
class FakeRpc final : public api::RpcService {
 public:
  api::RpcOutcome Call(api::RpcHead head, std::string request) override;
  FakeEvents& events() { return events_; }

 private:
  FakeEvents events_;
};

// Knows the runs "run" and "offline", both with the token "secret".
class FakeRuns final : public api::RunDirectory {
 public:
  absl::StatusOr<api::Run> Authenticate(std::string_view name,
                                        std::string_view token) override;
};

}  // namespace brume::testing
