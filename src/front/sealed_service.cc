#include "front/sealed_service.h"

#include "base/status_macros.h"

#include <utility>

namespace brume::front {

using Via = api::Origin::Via;

absl::StatusOr<std::unique_ptr<SealedService>> SealedService::Create(
    Server& server, runtime::SealedListeners& listeners, Options options) {
  if (options.run.empty()) {
    return absl::InvalidArgumentError(
        "serve a sealed namespace: it belongs to no run");
  }
  std::unique_ptr<SealedService> service(new SealedService(server));
  api::Origin origin;
  origin.run = std::move(options.run);
  const bool offline = options.offline;
  origin.via = Via::kDirect;
  RETURN_IF_ERROR(service->Add(listeners.proxy, origin, offline));
  origin.via = Via::kSealed;
  RETURN_IF_ERROR(service->Add(listeners.https, origin, offline));
  RETURN_IF_ERROR(service->Add(listeners.http, origin, offline));
  origin.via = Via::kMetadata;
  origin.account = std::move(options.account);
  origin.project = std::move(options.project);
  RETURN_IF_ERROR(service->Add(listeners.metadata, origin, offline));
  if (listeners.dns_udp.valid() || listeners.dns_tcp.valid()) {
    ASSIGN_OR_RETURN(const Server::ListenerId id,
                     server.ListenDns(std::move(listeners.dns_udp),
                                      std::move(listeners.dns_tcp)));
    service->ids_.push_back(id);
  }
  return service;
}

SealedService::~SealedService() {
  for (const Server::ListenerId id : ids_) server_.Close(id);
}

absl::Status SealedService::Add(base::UniqueFd& socket, api::Origin origin,
                                bool offline) {
  if (!socket.valid()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const Server::ListenerId id,
      server_.Listen(std::move(socket), std::move(origin), offline));
  ids_.push_back(id);
  return absl::OkStatus();
}

}  // namespace brume::front
