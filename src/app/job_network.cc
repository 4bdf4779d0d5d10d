#include "app/job_network.h"

#include "api/wire.h"
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
  const auto found = networks_.find(id);
  if (found == networks_.end()) return;
  if (server_ != nullptr) {
    for (const auto listener : found->second.listeners) {
      server_->Close(listener);
    }
  }
  networks_.erase(found);
}

void JobNetwork::Attach(front::Server* server) {
  absl::MutexLock lock(&mutex_);
  server_ = server;
  for (auto& [id, network] : networks_) {
    network.listeners.clear();
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
  api::Origin origin;
  origin.run = base::StrCat("job/", network.task.id);
  origin.account = network.task.account;
  origin.project = network.task.project;
  origin.via = api::Origin::Via::kSealed;
  for (base::UniqueFd* socket : {&sockets.https, &sockets.http}) {
    ASSIGN_OR_RETURN(const auto id,
                     server_->Listen(std::move(*socket), origin));
    network.listeners.push_back(id);
  }
  origin.via = api::Origin::Via::kMetadata;
  ASSIGN_OR_RETURN(const auto metadata,
                   server_->Listen(std::move(sockets.metadata), origin));
  network.listeners.push_back(metadata);
  ASSIGN_OR_RETURN(const auto dns,
                   server_->ListenDns(std::move(sockets.dns_udp),
                                      std::move(sockets.dns_tcp)));
  network.listeners.push_back(dns);
  return absl::OkStatus();
}

}  // namespace brume::app
