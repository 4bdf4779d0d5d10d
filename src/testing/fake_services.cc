#include "testing/fake_services.h"

#include "base/str_cat.h"

#include <absl/strings/match.h>
#include <absl/time/clock.h>
#include <fcntl.h>

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

namespace brume::testing {
namespace {

api::Response Text(int status, std::string text) {
  api::Response response;
  response.status = status;
  response.headers.Add("Content-Type", "text/plain");
  response.body = std::move(text);
  return response;
}

class Pieces final : public api::BodySource {
 public:
  explicit Pieces(int count, bool breaks) : left_(count), breaks_(breaks) {}
  absl::StatusOr<std::string> Read() override {
    if (left_ > 0) {
      --left_;
      return std::string("piece\n");
    }
    if (breaks_) return absl::DataLossError("the fake source broke");
    return std::string();
  }

 private:
  int left_;
  const bool breaks_;
};

// A wait of either kind; `again` times more after the first.
template <typename Base, typename Outcome>
class FakeWait final : public Base {
 public:
  FakeWait(FakeEvents& events, int again,
           std::function<Outcome(std::string)> answer)
      : events_(events), again_(again), answer_(std::move(answer)) {
    this->deadline = absl::Now() + absl::Minutes(1);
  }
  void Subscribe(std::function<void()> wake) override {
    subscription_.emplace(events_, std::move(wake));
  }
  Outcome Resume() override {
    const bool late = absl::Now() >= this->deadline;
    if (again_ > 0 && !late) {
      return std::unique_ptr<Base>(
          std::make_unique<FakeWait>(events_, again_ - 1, answer_));
    }
    return answer_(late ? "late" : "woken");
  }

 private:
  FakeEvents& events_;
  const int again_;
  std::function<Outcome(std::string)> answer_;
  std::optional<FakeEvents::Subscription> subscription_;
};

int NumberAfter(const std::string& target, size_t prefix) {
  return std::atoi(target.c_str() + prefix);
}

std::string Describe(const api::RequestHead& head) {
  std::string out = base::StrCat(
      "method: ", head.method, "\nhost: ", head.host, "\nbase: ", head.base_url,
      "\ntarget: ", head.target, "\nrun: ", head.origin.run,
      "\nvia: ", static_cast<int>(head.origin.via),
      "\ntls: ", head.origin.tls ? 1 : 0, "\naccount: ", head.origin.account,
      "\n");
  for (const auto& [name, value] : head.headers.fields()) {
    base::StrAppend(&out, "field ", name, ": ", value, "\n");
  }
  return out;
}

}  // namespace

FakeEvents::Subscription::Subscription(FakeEvents& events,
                                       std::function<void()> wake)
    : events_(events) {
  absl::MutexLock lock(&events_.mutex_);
  key_ = ++events_.next_;
  events_.wakes_.emplace(key_, std::move(wake));
}

FakeEvents::Subscription::~Subscription() {
  absl::MutexLock lock(&events_.mutex_);
  events_.wakes_.erase(key_);
}

void FakeEvents::Fire() {
  std::vector<std::function<void()>> wakes;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, wake] : wakes_) wakes.push_back(wake);
  }
  for (const auto& wake : wakes) wake();
}

size_t FakeEvents::waiting() const {
  absl::MutexLock lock(&mutex_);
  return wakes_.size();
}

int FakeEvents::ever() const {
  absl::MutexLock lock(&mutex_);
  return next_;
}

class FakeHttp::Sink final : public api::BodySink {
 public:
  Sink(FakeHttp& fake, api::RequestHead head)
      : fake_(fake), head_(std::move(head)) {}
  ~Sink() override {
    if (finished_) return;
    absl::MutexLock lock(&fake_.mutex_);
    ++fake_.abandoned_;
  }
  std::optional<api::Response> Write(std::string_view bytes) override {
    {
      absl::MutexLock lock(&fake_.mutex_);
      fake_.received_ += bytes.size();
    }
    if (head_.target == "/early") {
      finished_ = true;
      return Text(413, "too much");
    }
    if (head_.target == "/count") {
      counted_ += bytes.size();
    } else {
      body_.append(bytes);
    }
    return std::nullopt;
  }
  api::Outcome Finish() override {
    finished_ = true;
    if (head_.target == "/count") return Text(200, std::to_string(counted_));
    return fake_.Finish(head_, body_);
  }

 private:
  FakeHttp& fake_;
  const api::RequestHead head_;
  std::string body_;
  uint64_t counted_ = 0;
  bool finished_ = false;
};

api::Begun FakeHttp::Begin(api::RequestHead head) {
  {
    absl::MutexLock lock(&mutex_);
    ++begun_;
  }
  if (head.target == "/refuse") return Text(403, "refused");
  return std::make_unique<Sink>(*this, std::move(head));
}

api::Outcome FakeHttp::Finish(const api::RequestHead& head,
                              const std::string& body) {
  const std::string& target = head.target;
  if (absl::StartsWith(target, "/text/")) {
    return Text(200, std::string(NumberAfter(target, 6), 'x'));
  }
  if (absl::StartsWith(target, "/status/")) {
    return Text(NumberAfter(target, 8), "");
  }
  if (absl::StartsWith(target, "/source/") || target == "/broken") {
    api::Response response = Text(200, "");
    const bool broken = target == "/broken";
    response.body =
        std::make_unique<Pieces>(broken ? 1 : NumberAfter(target, 8), broken);
    return response;
  }
  if (absl::StartsWith(target, "/file/")) {
    api::Response response = Text(200, "");
    absl::MutexLock lock(&mutex_);
    response.body = api::FileSlice{
        base::UniqueFd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC)), 0,
        std::strtoull(target.c_str() + 6, nullptr, 10)};
    return response;
  }
  if (target == "/wait" || target == "/wait-again") {
    return std::unique_ptr<api::Wait>(
        std::make_unique<FakeWait<api::Wait, api::Outcome>>(
            events_, target == "/wait" ? 0 : 1, [](std::string text) {
              return api::Outcome(Text(200, std::move(text)));
            }));
  }
  return Text(200, Describe(head) + "\n" + body);
}

void FakeHttp::SetFile(std::string path) {
  absl::MutexLock lock(&mutex_);
  file_ = std::move(path);
}

int FakeHttp::begun() const {
  absl::MutexLock lock(&mutex_);
  return begun_;
}

int FakeHttp::abandoned() const {
  absl::MutexLock lock(&mutex_);
  return abandoned_;
}

uint64_t FakeHttp::received() const {
  absl::MutexLock lock(&mutex_);
  return received_;
}

api::RpcOutcome FakeRpc::Call(api::RpcHead head, std::string request) {
  if (head.method == "test.Echo.Say") {
    return api::RpcReply{
        absl::OkStatus(),
        base::StrCat("host=", head.host, " run=", head.origin.run,
                     " via=", static_cast<int>(head.origin.via),
                     " tls=", head.origin.tls ? 1 : 0, " said=", request),
        ""};
  }
  if (head.method == "test.Echo.Fail") {
    return api::RpcReply{absl::NotFoundError("no such thing"), "", "details"};
  }
  if (head.method == "test.Echo.Wait") {
    return std::unique_ptr<api::RpcWait>(
        std::make_unique<FakeWait<api::RpcWait, api::RpcOutcome>>(
            events_, 0, [](std::string text) {
              return api::RpcOutcome(
                  api::RpcReply{absl::OkStatus(), std::move(text), ""});
            }));
  }
  return api::RpcReply{absl::UnimplementedError("no such method"), "", ""};
}

absl::StatusOr<api::Run> FakeRuns::Authenticate(std::string_view name,
                                                std::string_view token) {
  if (token != "secret" || (name != "run" && name != "offline")) {
    return absl::UnauthenticatedError("no such run");
  }
  return api::Run{std::string(name), name == "offline"};
}

}  // namespace brume::testing
