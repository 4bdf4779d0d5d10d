#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"
#include "exec/local/local_executor.h"
#include "runtime/fd_passing.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

// LocalExecutor's thread that listens to the supervisors.
namespace brume::exec {
namespace {

constexpr int kRetryMillis = 20;
constexpr size_t kMaxMessage = 64;

}  // namespace

void LocalExecutor::Changed() {
  absl::MutexLock lock(&mutex_);
  ++changes_;
}

void LocalExecutor::WaitForChange(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto has_changed = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return changes_ != changes_seen_;
  };
  mutex_.AwaitWithDeadline(absl::Condition(&has_changed), deadline);
  changes_seen_ = changes_;
}

void LocalExecutor::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));
}

void LocalExecutor::AddLink(const std::string& id, base::UniqueFd socket) {
  {
    absl::MutexLock lock(&mutex_);
    auto link = std::make_shared<Link>();
    link->id = id;
    link->socket = std::move(socket);
    links_[id] = std::move(link);
    unreached_.erase(id);
  }
  Wake();
}

absl::Status LocalExecutor::Connect(const TaskFiles& files,
                                    const std::string& id) {
  base::UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return base::ErrnoToStatus(errno, "open socket");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // Short, however long the folder's path is.
  const std::string path = base::StrCat("/proc/self/fd/", files.dir(), "/s");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    // It begins or ends just now.
    absl::MutexLock lock(&mutex_);
    unreached_.insert(id);
    return absl::OkStatus();
  }
  AddLink(id, std::move(fd));
  return absl::OkStatus();
}

void LocalExecutor::Watch() {
  while (true) {
    std::vector<std::shared_ptr<Link>> links;
    std::vector<std::string> unreached;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      for (const auto& [id, link] : links_) links.push_back(link);
      unreached.assign(unreached_.begin(), unreached_.end());
      unreached_.clear();
    }
    for (const std::string& id : unreached) {
      if (const absl::Status status = Revive(id); !status.ok()) {
        base::Log(base::LogLevel::kError, "exec", "cannot look after a task",
                  {{"task", id}, {"cause", base::ToStd(status.message())}});
      }
    }
    std::vector<pollfd> polls = {{wake_.get(), POLLIN, 0}};
    for (const auto& link : links) {
      polls.push_back({link->socket.get(), POLLIN, 0});
    }
    const int timeout = unreached.empty() ? -1 : kRetryMillis;
    if (poll(polls.data(), polls.size(), timeout) < 0) continue;
    if (polls[0].revents != 0) {
      uint64_t count = 0;
      (void)!read(wake_.get(), &count, sizeof(count));
    }
    bool changed = false;
    for (size_t i = 0; i < links.size(); ++i) {
      if (polls[i + 1].revents == 0) continue;
      changed = true;
      if (!OnMessage(*links[i])) OnLinkEnded(*links[i]);
    }
    if (changed) Changed();
  }
}

bool LocalExecutor::OnMessage(Link& link) {
  absl::StatusOr<runtime::ReceivedBytes> received =
      runtime::ReceiveWithFds(link.socket.get(), kMaxMessage);
  if (!received.ok() || received->bytes.empty()) return false;
  if (received->bytes[0] != 'L') return true;
  std::vector<base::UniqueFd>& fds = received->fds;
  constexpr size_t kLeast = 5;
  if (fds.size() < kLeast || link.has_listeners) return true;
  runtime::SealedListeners listeners;
  listeners.https = std::move(fds[0]);
  listeners.http = std::move(fds[1]);
  listeners.metadata = std::move(fds[2]);
  listeners.dns_udp = std::move(fds[3]);
  listeners.dns_tcp = std::move(fds[4]);
  if (fds.size() > kLeast) listeners.proxy = std::move(fds[5]);
  link.has_listeners = true;
  const auto files = OpenTask(link.id);
  if (!files.ok()) return true;
  const auto record = files->ReadRecord();
  if (record.ok() && record->has_value() && options_.listeners_ready) {
    options_.listeners_ready((*record)->spec, std::move(listeners));
  }
  return true;
}

void LocalExecutor::OnLinkEnded(Link& link) {
  {
    absl::MutexLock lock(&mutex_);
    const auto found = links_.find(link.id);
    if (found != links_.end() && found->second.get() == &link) {
      links_.erase(found);
    }
  }
  if (link.has_listeners && options_.listeners_gone) {
    options_.listeners_gone(link.id);
  }
  const absl::Status status = Revive(link.id);
  if (!status.ok() && !absl::IsNotFound(status)) {
    base::Log(base::LogLevel::kError, "exec", "cannot look after a task",
              {{"task", link.id}, {"cause", base::ToStd(status.message())}});
  }
}

}  // namespace brume::exec
