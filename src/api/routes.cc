#include "api/routes.h"

#include "api/mixins.h"
#include "base/log.h"

#include <algorithm>
#include <cstdlib>

namespace brume::api {
namespace {

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         text.substr(text.size() - end.size()) == end;
}

// The v1beta1 surface of Vertex AI is served by the v1 rows where the messages
// agree, which the rows served so far do.
constexpr std::string_view kBeta = "/v1beta1/";

}  // namespace

Routes::Routes() = default;
Routes::~Routes() = default;

std::string ServiceHost(std::string_view host) {
  constexpr std::string_view kDomain = ".googleapis.com";
  constexpr std::string_view kVertex = "aiplatform.googleapis.com";
  if (EndsWith(host, "-aiplatform.googleapis.com") ||
      (host.substr(0, 11) == "aiplatform." &&
       EndsWith(host, ".rep.googleapis.com"))) {
    return std::string(kVertex);
  }
  if (EndsWith(host, ".mtls.googleapis.com")) {
    host.remove_suffix(std::string_view(".mtls.googleapis.com").size());
    return std::string(host) + std::string(kDomain);
  }
  return std::string(host);
}

bool Routes::KnowsHost(std::string_view host) {
  const std::string service = ServiceHost(host);
  return std::any_of(kKnownMethods, kKnownMethods + kKnownMethodCount,
                     [&](const KnownMethod& method) {
                       return method.service_host == service;
                     });
}

const Routes::Table& Routes::TableOf(std::string_view service_host) {
  absl::MutexLock lock(&mutex_);
  const auto found = tables_.find(service_host);
  if (found != tables_.end()) return *found->second;
  auto table = std::make_unique<Table>();
  const auto add = [&](const RouteRow& row) {
    if (row.service_host != service_host) return;
    std::optional<PathTemplate> path = PathTemplate::Parse(row.path);
    if (!path) {
      base::Log(base::LogLevel::kError, "api", "no path template",
                {{"path", row.path}, {"method", row.method}});
      std::abort();
    }
    table->push_back({&row, *std::move(path)});
  };
  std::for_each(kRouteRows, kRouteRows + kRouteRowCount, add);
  for (const RouteRow& row : MixinRows()) add(row);
  return *tables_.emplace(std::string(service_host), std::move(table))
              .first->second;
}

std::optional<Routes::Match> Routes::FindIn(const Table& table,
                                            std::string_view verb,
                                            std::string_view path) {
  for (const Route& route : table) {
    if (route.row->verb != verb) continue;
    std::optional<PathTemplate::Bindings> bindings = route.path.Match(path);
    if (!bindings) continue;
    return Match{route.row->method, route.row->service_host,
                 *std::move(bindings), route.row->body,
                 route.row->response_body};
  }
  return std::nullopt;
}

std::optional<Routes::Match> Routes::Find(std::string_view host,
                                          std::string_view verb,
                                          std::string_view path) {
  const std::string service = ServiceHost(host);
  if (!KnowsHost(service)) return std::nullopt;
  const Table& table = TableOf(service);
  std::optional<Match> match = FindIn(table, verb, path);
  if (match || path.substr(0, kBeta.size()) != kBeta) return match;
  return FindIn(table, verb,
                std::string("/v1/") + std::string(path.substr(kBeta.size())));
}

}  // namespace brume::api
