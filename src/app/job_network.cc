#include "app/job_network.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "base/str_cat.h"

#include <utility>

namespace brume::app {

void JobNetwork::Ready(const exec::TaskSpec& task,
                       runtime::SealedListeners listeners) {
  absl::MutexLock lock(&mutex_);
  Network& network = networks_[task.id];
  network.task = task;
  network.sockets = std::move(listeners);
  if (server_ != nullptr) ServeOrLog(network);
}

void JobNetwork::Gone(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  networks_.erase(id);
}

void JobNetwork::Attach(front::Server* server) {
  absl::MutexLock lock(&mutex_);
  server_ = server;
  for (auto& [id, network] : networks_) {
    network.service = nullptr;
    if (server_ != nullptr) ServeOrLog(network);
  }
}

void JobNetwork::ServeOrLog(Network& network) {
  const absl::Status status = Serve(network);
  if (status.ok()) return;
  base::Log(
      base::LogLevel::kError, "jobs", "network of a job not answered",
      {{"job", network.task.id}, {"cause", base::ToStd(status.message())}});
}

absl::Status JobNetwork::Serve(Network& network) {
  runtime::SealedListeners sockets = std::exchange(network.sockets, {});
  front::SealedService::Options options;
  options.run = base::StrCat("job/", network.task.id);
  options.account = network.task.account;
  options.project = network.task.project;
  ASSIGN_OR_RETURN(network.service, front::SealedService::Create(
                                        *server_, sockets, std::move(options)));
  return absl::OkStatus();
}

}  // namespace brume::app
